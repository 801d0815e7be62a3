! SPDX-License-Identifier: GPL-2.0-or-later
! What a Fortran program uses of its library, with OpenMP.
program fortran
  use omp_lib
  implicit none
  integer :: i
  integer(8) :: total
  real(8), allocatable :: a(:)
  character(len=20) :: line

  allocate(a(100000))
  total = 0
  !$omp parallel do reduction(+:total)
  do i = 1, 100000
     a(i) = sqrt(real(i, 8))
     total = total + int(a(i), 8)
  end do
  print '(a,i12,f20.10)', 'sum', total, sum(a)
  print '(a,3f12.6)', 'matrix', matmul(reshape(a(1:9), [3, 3]), a(1:3))
  open(10, file='fortran.txt')
  write(10, *) 'text', 5
  rewind(10)
  read(10, '(a)') line
  close(10, status='delete')
  print '(a)', line
  print '(a,i3)', 'threads', omp_get_max_threads()
end program
