/* Twin of philosophers_asymmetric.mck; -DN=. */
#ifndef N
#define N 3
#endif
bit fork[N];
#define FIRST (_pid == N - 1 -> 0 : _pid)
#define SECOND (_pid == N - 1 -> N - 1 : _pid + 1)

active [N] proctype philosopher() {
end: do
  :: d_step { !fork[FIRST] -> fork[FIRST] = 1 }
     d_step { !fork[SECOND] -> fork[SECOND] = 1 }
     fork[SECOND] = 0;
     fork[FIRST] = 0
  od
}
