/* Twin of szymanski.mck; -DN=2..4 */
#ifndef N
#define N 3
#endif
byte flag[N]; byte inside;

#if N == 2
#define ALL(P) (P(0) && P(1))
#define SOME(P) (P(0) || P(1))
#elif N == 3
#define ALL(P) (P(0) && P(1) && P(2))
#define SOME(P) (P(0) || P(1) || P(2))
#else
#define ALL(P) (P(0) && P(1) && P(2) && P(3))
#define SOME(P) (P(0) || P(1) || P(2) || P(3))
#endif
#define DOOR_OPEN(i) (flag[i] < 3)
#define ASKS(i) (flag[i] == 1)
#define CLOSED(i) (flag[i] == 4)
#define NOT_BEFORE(i) (i >= _pid || flag[i] < 2)
#define OUT_OR_CLOSED(i) (i <= _pid || flag[i] < 2 || flag[i] == 4)

active [N] proctype p() {
  bit others_ask;
end: do
  :: flag[_pid] = 1;
     ALL(DOOR_OPEN);
     flag[_pid] = 3;
     others_ask = SOME(ASKS);
     if
     :: d_step { others_ask -> others_ask = 0 }
        flag[_pid] = 2;
        SOME(CLOSED)
     :: else
     fi;
     flag[_pid] = 4;
     ALL(NOT_BEFORE);
     d_step { inside++; assert(inside <= 1) }
     inside--;
     ALL(OUT_OR_CLOSED);
     flag[_pid] = 0
  od
}
