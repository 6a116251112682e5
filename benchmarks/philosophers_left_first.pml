/* Twin of philosophers_left_first.mck; -DN=. Its mutexes are bits here: who owns a fork follows from the locations. */
#ifndef N
#define N 3
#endif
bit fork[N];
#define LEFT _pid
#define RIGHT ((_pid + 1) % N)

active [N] proctype philosopher() {
end: do
  :: d_step { !fork[LEFT] -> fork[LEFT] = 1 }
     d_step { !fork[RIGHT] -> fork[RIGHT] = 1 }
     fork[RIGHT] = 0;
     fork[LEFT] = 0
  od
}
