// SPDX-License-Identifier: BSD-3-Clause
/*
 * Description: non-contiguous types on one or both sides, from a few bytes to
 * several fragments
 */
#include "check.h"

struct cell {
	char	tag;
	double	value;
	int	id[3];
};

static MPI_Datatype cell_type(void)
{
	int lens[] = { 1, 1, 2 };
	MPI_Aint at[] = {
		offsetof(struct cell, tag), offsetof(struct cell, value),
		offsetof(struct cell, id),
	};
	MPI_Datatype types[] = { MPI_CHAR, MPI_DOUBLE, MPI_INT };
	MPI_Datatype raw, type;

	MPI_Type_create_struct(3, lens, at, types, &raw);
	MPI_Type_create_resized(raw, 0, sizeof(struct cell), &type);
	MPI_Type_commit(&type);
	MPI_Type_free(&raw);
	return type;
}

static void cells(int count)
{
	struct cell *cell = malloc(count * sizeof(*cell));
	MPI_Datatype type = cell_type();
	int i;

	need(cell);
	memset(cell, 0x77, count * sizeof(*cell));
	for (i = 0; i < count && !rank; i++) {
		cell[i].tag = i;
		cell[i].value = i * 0.5;
		cell[i].id[0] = i;
		cell[i].id[1] = -i;
	}
	if (rank == 0)
		MPI_Send(cell, count, type, 1, 1, MPI_COMM_WORLD);
	if (rank == 1)
		MPI_Recv(cell, count, type, 0, 1, MPI_COMM_WORLD,
			 MPI_STATUS_IGNORE);
	for (i = 0; i < count && rank == 1; i++) {
		if (cell[i].tag != (char)i || cell[i].value != i * 0.5 ||
		    cell[i].id[0] != i || cell[i].id[1] != -i)
			fail("cell %d of %d", i, count);
		if (cell[i].id[2] != 0x77777777)
			fail("gap of cell %d of %d was written", i, count);
	}
	MPI_Type_free(&type);
	free(cell);
}

/* Columns of a matrix to rows, rows to columns, columns to columns. */
static void matrix(int n, int from_columns, int to_columns)
{
	int *m = malloc((size_t)n * n * sizeof(int)), i, want;
	MPI_Datatype column, columns;

	need(m);
	for (i = 0; i < n * n; i++)
		m[i] = rank == 0 ? i : -1;
	MPI_Type_vector(n, 1, n, MPI_INT, &column);
	MPI_Type_create_resized(column, 0, sizeof(int), &columns);
	MPI_Type_commit(&columns);
	if (rank == 0)
		MPI_Send(m, from_columns ? n : n * n,
			 from_columns ? columns : MPI_INT, 1, 2,
			 MPI_COMM_WORLD);
	if (rank == 1)
		MPI_Recv(m, to_columns ? n : n * n,
			 to_columns ? columns : MPI_INT, 0, 2, MPI_COMM_WORLD,
			 MPI_STATUS_IGNORE);
	for (i = 0; i < n * n && rank == 1; i++) {
		want = from_columns == to_columns ? i : i % n * n + i / n;
		if (m[i] != want)
			fail("matrix %d, %d to %d: element %d is %d, not %d",
			     n, from_columns, to_columns, i, m[i], want);
	}
	MPI_Type_free(&columns);
	MPI_Type_free(&column);
	free(m);
}

int main(int argc, char **argv)
{
	static const int sizes[] = { 1, 2, 3, 5, 16, 31, 64, 100, 400, 700 };
	size_t i;
	int k;

	start(&argc, &argv);
	need(nranks >= 2);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cells(sizes[i] * sizes[i]);
		for (k = 1; k < 4; k++)
			matrix(sizes[i], k & 1, k >> 1);
	}
	return finish("datatype");
}
