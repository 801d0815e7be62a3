/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a C++ program uses of its library: threads, exceptions, streams, file systems. */
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

int main()
{
	std::vector<double> values(1000);
	std::vector<std::thread> threads;
	std::mutex mutex;
	double sum = 0;

	std::iota(values.begin(), values.end(), 1.0);
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&, i] {
			double part = 0;

			for (int j = i; j < 1000; j += 4)
				part += values[j];
			std::lock_guard<std::mutex> guard(mutex);
			sum += part;
		});
	for (auto &thread : threads)
		thread.join();
	std::cout << "sum " << sum << std::endl;
	try {
		throw std::runtime_error("thrown");
	} catch (const std::exception &error) {
		std::cout << "caught " << error.what() << "\n";
	}
	std::cout << std::async(std::launch::async, [] { return 42; }).get() << "\n";
	std::mt19937_64 random(5);
	std::map<std::string, unsigned long> map{ { "b", random() }, { "a", random() } };
	for (const auto &[name, value] : map)
		std::cout << name << " " << value << "\n";
	std::ofstream("file.txt") << "line\n";
	std::cout << std::filesystem::file_size("file.txt") << "\n";
	for (const auto &entry : std::filesystem::directory_iterator("."))
		std::cout << entry.path() << "\n";
	return 3;
}
