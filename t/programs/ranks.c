/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranks of MPI that need each other: small and large messages, to one and to all. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGE (1 << 19) /* of ints: more than any library sends at once */

int main(int argc, char **argv)
{
	int rank, ranks, sum = 0, i, *large;
	long total = 0, all;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	large = malloc(LARGE * sizeof(int));
	for (i = 0; i < LARGE; i++)
		large[i] = rank == 0 ? i % 1000 : -1;
	MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	MPI_Bcast(large, LARGE, MPI_INT, 0, MPI_COMM_WORLD);
	/* Once around: each adds one to what its neighbour has sent. */
	if (rank == 0)
		MPI_Send(large, LARGE, MPI_INT, 1 % ranks, 1, MPI_COMM_WORLD);
	MPI_Recv(large, LARGE, MPI_INT, (rank + ranks - 1) % ranks, 1, MPI_COMM_WORLD,
		 MPI_STATUS_IGNORE);
	for (i = 0; i < LARGE; i++)
		total += ++large[i];
	if (rank != 0)
		MPI_Send(large, LARGE, MPI_INT, (rank + 1) % ranks, 1, MPI_COMM_WORLD);
	MPI_Reduce(&total, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
	for (i = 0; i < 10; i++)
		MPI_Barrier(MPI_COMM_WORLD);
	if (rank == 0)
		printf("%d ranks, sum %d, total %ld\n", ranks, sum, all);
	free(large);
	MPI_Finalize();
	return 0;
}
