#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the distribution, and what its compilers make, run in an enclave as they
# are and print what they print on Linux. They are not on every node:
#
#   contrib/quickstart check --packages "lammps python3-numpy libopenblas0-pthread \
#       openssl gcc g++ gfortran musl-tools mpich libmpich-dev libopenmpi-dev libpmix-dev \
#       libomp5-14" \
#       t/1040-real-programs.t
#
# A program that is not there is a failure here, since nothing was shown then.
# Environment: hash_mib, the size of the file that openssl hashes (64).
limit_file=1800
node_env="hash_mib"
node_sources="programs"
. "$(dirname "$0")/lib/node.sh"

kernel_log_start
programs=$PWD/programs
work=$(mktemp -d /tmp/programs.XXXXXX)
cd "$work" || exit 1
export OPENBLAS_NUM_THREADS=2 OMP_NUM_THREADS=2 LC_ALL=C.UTF-8
# As root on Linux, Open MPI asks whether one is sure.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# has COMMAND PACKAGE: if not, that is a failure with a name
has() {
	command -v "$1" > /dev/null && return
	fail "$1 is on the node"
	diag "NOT TRIED: package $2 is not there; see --packages at the top of this test"
	return 1
}

# same NAME EXPECTED-RC FILTER COMMAND...: exit code and output are Linux's, in an enclave
# that Slurm makes for the step and in one that pisces run makes.
same() {
	local name=$1 expected=$2 filter=$3 outside way
	shift 3
	run "$@" < /dev/null
	is "$rc" "$expected" "$name: exit code on Linux"
	[ "$rc" = "$expected" ] || diag "$(tail -n 5 <<< "$out") $err"
	outside=$(eval "$filter" <<< "$out")
	for way in "srun ${of_srun:-} --enclave=lwk -c2 --mem=1G" "pisces run --cpus=2 --mem=1G --"; do
		# shellcheck disable=SC2086 # its words
		run $way "$@" < /dev/null
		is "$rc" "$expected" "$name: exit code, ${way%% *}"
		[ "$rc" = "$expected" ] || diag "$err"
		if [ -n "$outside" ] && [ "$(eval "$filter" <<< "$out")" = "$outside" ]; then
			pass "$name: $(wc -l <<< "$outside") lines are the same"
		else
			fail "$name: the output is the same"
			diag "$(diff <(echo "$outside") <(eval "$filter" <<< "$out") | head -n 20)"
		fi
	done
}

if has gcc gcc && gcc -o c "$programs/c.c" -lm; then
	same "C, dynamically linked" 7 cat ./c one two
fi
if has musl-gcc musl-tools && musl-gcc -static -o musl "$programs/c.c"; then
	same "C, static with musl" 7 cat ./musl one two
fi
if has g++ g++ && g++ -o cxx "$programs/cxx.cc"; then
	same "C++" 3 cat ./cxx
fi
if has gfortran gfortran && gfortran -fopenmp -o fortran "$programs/fortran.f90"; then
	same "Fortran with OpenMP" 0 cat ./fortran
	# LLVM's library has all that programs of gcc call of gcc's.
	LD_PRELOAD=libomp.so.5 OMP_PLACES=threads OMP_PROC_BIND=close \
		same "the same with LLVM's OpenMP" 0 cat ./fortran
	LD_PRELOAD=libomp.so.5 KMP_VERSION=1 run pisces run --cpus=2 --mem=1G -- ./fortran < /dev/null
	like "$err" "LLVM OMP version" "which it really is"
fi
if has python3 python3-numpy; then
	if python3 -c 'import numpy' 2> /dev/null; then
		same "Python with numpy" 0 cat python3 "$programs/linear.py"
	else
		fail "numpy is on the node"
		diag "NOT TRIED: package python3-numpy is not there"
	fi
fi
# Numbers of each step in full; what follows them is about time.
steps="sed -n '/^ *Step/,/^Loop/{/^Loop/d;p}'"
# Debian's lmp is a program of Open MPI, whose ranks hear of each other from Slurm by PMIx.
if has lmp lammps; then
	of_srun=--mpi=pmix
	same "LAMMPS, melt" 0 "$steps" lmp -in "$programs/melt.lmp" -log none
	# Debian's lmp has no styles for OpenMP (package OPENMP), but uses it in others.
	same "LAMMPS, melt by other code, 2 threads" 0 "$steps" lmp -sf opt \
		-in "$programs/melt.lmp" -log none
	same "LAMMPS, crack" 0 "$steps" lmp -in "$programs/crack.lmp" -log none
	of_srun=
fi

# two_ranks NAME PMI FILTER COMMAND...: with srun on Linux and in an enclave
two_ranks() {
	local name=$1 pmi=$2 filter=$3 outside
	shift 3
	limit=300 run srun --mpi="$pmi" -n2 -c1 "$@" < /dev/null
	is "$rc" 0 "$name, 2 ranks: exit code on Linux"
	outside=$(eval "$filter" <<< "$out")
	limit=300 run srun --mpi="$pmi" --enclave=lwk -n2 -c1 "$@" < /dev/null
	is "$rc" 0 "$name, 2 ranks: exit code"
	is "$(eval "$filter" <<< "$out")" "$outside" "$name, 2 ranks: the output is the same"
	# A library that finds a faster way shut says so, and copies another way.
	is "$err" "" "$name, 2 ranks: nothing is complained of"
}
if has mpicc.mpich libmpich-dev && mpicc.mpich -o ranks "$programs/ranks.c"; then
	two_ranks "MPICH" pmi2 cat ./ranks
fi
if has mpicc.openmpi "libopenmpi-dev libpmix-dev" &&
	mpicc.openmpi -o open-ranks "$programs/ranks.c"; then
	two_ranks "Open MPI" pmix cat ./open-ranks
	two_ranks "LAMMPS, melt" pmix "$steps" lmp -in "$programs/melt.lmp" -log none
fi
if has openssl openssl; then
	head -c "${hash_mib:-64}M" /dev/urandom > big
	same "openssl dgst of ${hash_mib:-64} MiB" 0 cat openssl dgst -sha256 big
	rm big
	run pisces run --cpus=1 --mem=256M -- openssl speed -seconds 1 -bytes 1024 sha256 \
		< /dev/null
	is "$rc" 0 "openssl speed"
	like "$out" "sha256 +[0-9.]+k" "has measured: $(tail -n 1 <<< "$out")"
fi

cd / && rm -rf "$work"
node_recovers "after all that"
kernel_log_clean
done_testing
