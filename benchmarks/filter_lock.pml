/* Twin of filter_lock.mck; -DN=2..4, -DSHORT=1 forgets one room */
#ifndef N
#define N 3
#endif
#ifndef SHORT
#define SHORT 0
#endif
#define ROOMS (N - 1 - SHORT)
byte room[N]; byte victim[N]; byte inside;

#define LOW(k, r) (k == _pid || room[k] < r)
#if N == 2
#define ALL_LOW(r) (LOW(0, r) && LOW(1, r))
#elif N == 3
#define ALL_LOW(r) (LOW(0, r) && LOW(1, r) && LOW(2, r))
#else
#define ALL_LOW(r) (LOW(0, r) && LOW(1, r) && LOW(2, r) && LOW(3, r))
#endif
#define ENTER(r) room[_pid] = r; victim[r - 1] = _pid; (victim[r - 1] != _pid || ALL_LOW(r))

active [N] proctype p() {
end: do
  :: ENTER(1);
#if ROOMS >= 2
     ENTER(2);
#endif
#if ROOMS >= 3
     ENTER(3);
#endif
     d_step { inside++; assert(inside <= 1) }
     inside--;
     room[_pid] = 0
  od
}
