/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plain C program uses of its library. */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static __thread int own = 5;
static int leaving;

static void *thread(void *argument)
{
	own += *(int *)argument;
	return (void *)(long)own;
}

static void at_exit(void)
{
	printf("left: %d\n", leaving);
}

int main(int argc, char *argv[])
{
	char text[] = "the quick brown fox", *word;
	int seven = 7, i;
	jmp_buf place;
	pthread_t id;
	time_t zero = 0;
	void *result;

	atexit(at_exit);
	setlocale(LC_ALL, "");
	pthread_create(&id, NULL, thread, &seven);
	pthread_join(id, &result);
	printf("%d arguments, last %s; thread %ld, own %d\n", argc, argv[argc - 1], (long)result, own);
	for (word = strtok(text, " "); word; word = strtok(NULL, " "))
		printf("%s ", word);
	for (i = 1; i <= 5; i++)
		printf("%.15g ", sin(i) + pow(i, 1.5));
	printf("\n%s", asctime(gmtime(&zero)));
	if (setjmp(place) == 0)
		longjmp(place, 1);
	leaving = 1;
	return 7;
}
