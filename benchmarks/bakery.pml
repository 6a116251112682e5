/* Twin of bakery.mck; -DMAX= -DNO_CHOOSING. A local is reset in the step after which it is dead. */
#ifndef MAX
#define MAX 3
#endif
bit choosing[2]; byte ticket[2]; bit critical[2];
#define OTHER (1 - _pid)

active [2] proctype p() {
  byte mine;
end: do
  ::
#ifndef NO_CHOOSING
     choosing[_pid] = 1;
#endif
     mine = ticket[OTHER] + 1;
     if
     :: d_step { mine > MAX -> mine = 0 }
#ifndef NO_CHOOSING
        choosing[_pid] = 0
#endif
     :: else ->
        ticket[_pid] = mine;
#ifndef NO_CHOOSING
        choosing[_pid] = 0;
        !choosing[OTHER];
#endif
        d_step {
          ticket[OTHER] == 0 || mine < ticket[OTHER] || (mine == ticket[OTHER] && _pid < OTHER) -> mine = 0
        }
        d_step { critical[_pid] = 1; assert(!(critical[0] && critical[1])) }
        critical[_pid] = 0;
        ticket[_pid] = 0
     fi
  od
}
