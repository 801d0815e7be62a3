/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces top: what the enclaves of this node do, again and again. */
#include "top.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: pisces top [OPTIONS] [ENCLAVE]\n"
	"\n"
	"Shows what the enclaves of this node do, and shows it again every few seconds: state,\n"
	"CPUs, memory, tasks and threads; system calls, those forwarded to Linux, interrupts\n"
	"and signs of life a second; for how long a CPU in the co-kernel has given none. With\n"
	"ENCLAVE (a number or a name), that one alone and its CPUs, by Linux's numbers. Ends\n"
	"with q or Ctrl-C.\n"
	"\n"
	"  -d, --delay=SECONDS  between two looks, 0.1 to 3600 (default: 2; with --once: 1)\n"
	"  -n, --count=N        end after N screens\n"
	"      --cpus           a line for each CPU as well\n"
	"      --once           look twice, print once; so it is if stdout is no terminal and\n"
	"                       there is no --count\n"
	"      --json           the same for programs, once, with all CPUs\n";

struct top_options {
	uint32_t enclave; /* 0: all */
	double delay;	  /* seconds; 0: not given */
	unsigned long count; /* 0: no end */
	bool cpus;
	bool once;
	bool json;
};

static volatile sig_atomic_t is_over, is_resized;

static void on_signal(int number)
{
	if (number == SIGWINCH)
		is_resized = 1;
	else
		is_over = 1;
}

static bool set_option(int option, void *context)
{
	struct top_options *options = context;
	char *end = NULL;

	switch (option) {
	case 'd':
		options->delay = strtod(optarg, &end);
		if (isdigit((unsigned char)*optarg) && *end == '\0' && options->delay >= 0.1 &&
		    options->delay <= 3600)
			return true;
		tool_usage("top", "'%s' is no delay: use 0.1 to 3600 seconds", optarg);
		return false;
	case 'n':
		options->count = strtoul(optarg, &end, 10);
		if (isdigit((unsigned char)*optarg) && *end == '\0' && options->count > 0)
			return true;
		tool_usage("top", "'%s' is no number of screens", optarg);
		return false;
	case 'c':
		options->cpus = true;
		return true;
	case 'o':
		options->once = true;
		return true;
	default:
		return false;
	}
}

/*
 * Waits SECONDS. True after them; false at once when the user or a signal wants
 * something else. MASK: as sigprocmask(2) had it before, with the signals let in.
 */
static bool wait_for(double seconds, int keyboard, const sigset_t *mask)
{
	struct pollfd fd = {.fd = keyboard, .events = POLLIN};
	struct timespec limit = {.tv_sec = (time_t)seconds};
	char key;
	int ready;

	limit.tv_nsec = (long)((seconds - (double)limit.tv_sec) * 1e9);
	ready = ppoll(&fd, 1, &limit, mask);
	if (ready == 0)
		return true;
	if (ready > 0 && (read(keyboard, &key, 1) != 1 || key == 'q' || key == 'Q'))
		is_over = 1;
	return false;
}

/* ---- the terminal ---- */

struct screen {
	int keyboard; /* -1: none */
	struct termios before;
	bool is_terminal;
};

static void screen_begin(struct screen *screen)
{
	struct termios raw;

	screen->is_terminal = isatty(STDOUT_FILENO);
	screen->keyboard = -1;
	if (!screen->is_terminal)
		return;
	if (tcgetattr(STDIN_FILENO, &screen->before) == 0) {
		screen->keyboard = STDIN_FILENO;
		raw = screen->before;
		raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	/* A screen of our own, without a cursor: what was there comes back at the end. */
	fputs("\033[?1049h\033[?25l", stdout);
}

static void screen_end(const struct screen *screen)
{
	if (!screen->is_terminal)
		return;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (screen->keyboard >= 0)
		tcsetattr(screen->keyboard, TCSANOW, &screen->before);
}

/* Puts as much of TEXT on the terminal as it has room for. */
static void screen_show(const char *text)
{
	struct winsize size = {0};
	unsigned int rows, columns;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	rows = size.ws_row;
	columns = size.ws_col;
	fputs("\033[H", stdout);
	for (unsigned int row = 1; *text && row <= rows; row++) {
		size_t length = strcspn(text, "\n");

		printf("%.*s\033[K%s", (int)(length < columns ? length : columns), text,
		       row < rows ? "\r\n" : "");
		text += length + (text[length] == '\n');
	}
	fputs("\033[J", stdout);
}

static int show_text(const struct screen *screen, const struct top_sample *before,
		     const struct top_sample *now, bool cpus)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	if (!screen->is_terminal) {
		top_print(stdout, before, now, cpus);
		return fflush(stdout);
	}
	to = open_memstream(&text, &size);
	if (!to)
		return -1;
	top_print(to, before, now, cpus);
	if (fclose(to) == 0)
		screen_show(text);
	free(text);
	return fflush(stdout);
}

static int show(const struct screen *screen, const struct top_sample *before,
		const struct top_sample *now, bool cpus, struct pisces_error *error)
{
	if (show_text(screen, before, now, cpus) == 0)
		return 0;
	snprintf(error->text, sizeof(error->text), "standard output: %s", strerror(errno));
	return -1;
}

/* Shows samples as OPTIONS say, until their end or the user's word. */
static int watch(const struct top_options *options, const struct screen *screen,
		 const sigset_t *mask, struct pisces_error *error)
{
	struct top_sample before, now = {0};
	unsigned long shown = 0;
	int result = top_look(options->enclave, &before, error);

	if (result < 0)
		return -1;
	/* The first screen comes at once, without rates. */
	if (screen->is_terminal)
		result = show(screen, &before, &before, options->cpus, error);
	while (!is_over && result == 0) {
		bool in_time = wait_for(options->delay, screen->keyboard, mask);

		if (!in_time && is_resized) {
			is_resized = 0;
			result = show(screen, &before, now.enclaves ? &now : &before,
				      options->cpus, error);
		}
		if (!in_time)
			continue;
		if (now.enclaves) {
			top_forget(&before);
			before = now;
		}
		result = top_look(options->enclave, &now, error);
		if (result == 0)
			result = show(screen, &before, &now, options->cpus, error);
		if (options->count && ++shown >= options->count)
			break;
	}
	top_forget(&now);
	top_forget(&before);
	return result;
}

static int once(const struct top_options *options, const sigset_t *mask,
		struct pisces_error *error)
{
	struct top_sample before, now;
	int result;

	if (top_look(options->enclave, &before, error) < 0)
		return -1;
	while (!wait_for(options->delay, -1, mask) && !is_over)
		;
	result = is_over ? 0 : top_look(options->enclave, &now, error);
	if (result == 0 && !is_over) {
		if (options->json)
			top_print_json(&before, &now);
		else
			top_print(stdout, &before, &now, options->cpus);
		top_forget(&now);
	}
	top_forget(&before);
	return result;
}

static void catch_signals(sigset_t *before)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t ours;

	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaction(numbers[i], &action, NULL);
		sigaddset(&ours, numbers[i]);
	}
	/* They come while it waits, and never between a look at their flags and the wait. */
	sigprocmask(SIG_BLOCK, &ours, before);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigdelset(before, numbers[i]);
}

int command_top(int argc, char **argv)
{
	static const struct option table[] = {
		{"delay", required_argument, NULL, 'd'},
		{"count", required_argument, NULL, 'n'},
		{"cpus", no_argument, NULL, 'c'},
		{"once", no_argument, NULL, 'o'},
		TOOL_OPTION_JSON,
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {
		.help = help, .most = 1, .wanted = "one enclave at most, by number or name"};
	struct top_options options = {0};
	struct pisces_error error;
	struct screen screen;
	sigset_t mask;
	int result;

	result = tool_arguments(argc, argv, ":hd:n:", table, &arguments, set_option, &options);
	if (result >= 0)
		return result;
	options.json = arguments.json;
	options.once = options.once || options.json ||
		       (!isatty(STDOUT_FILENO) && options.count == 0);
	if (options.delay == 0)
		options.delay = options.once ? 1 : 2;
	if (optind < argc) {
		options.cpus = true;
		if (pisces_find(argv[optind], &options.enclave, &error) < 0)
			return tool_failed(&error);
	}
	catch_signals(&mask);
	if (options.once) {
		result = once(&options, &mask, &error);
	} else {
		screen_begin(&screen);
		result = watch(&options, &screen, &mask, &error);
		screen_end(&screen);
	}
	return result < 0 ? tool_failed(&error) : TOOL_OK;
}
