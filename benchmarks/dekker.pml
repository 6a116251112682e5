/* Twin of dekker.mck; -DNO_TURN is its scenario no_turn */
bit wants[2]; bit turn; bit critical[2];

active [2] proctype p() {
end: do
  :: wants[_pid] = 1;
     do
     :: wants[1 - _pid] ->
#ifdef NO_TURN
        wants[_pid] = 0;
        wants[_pid] = 1
#else
        if
        :: turn != _pid ->
           wants[_pid] = 0;
           turn == _pid;
           wants[_pid] = 1
        :: else
        fi
#endif
     :: else -> break
     od;
     atomic { critical[_pid] = 1; assert(!(critical[0] && critical[1])) }
     critical[_pid] = 0;
#ifndef NO_TURN
     turn = 1 - _pid;
#endif
     wants[_pid] = 0
  od
}
