/* Twin of peterson.mck */
bit wants[2]; bit turn; bit critical[2];

active [2] proctype p() {
end: do
  ::
#ifdef TURN_FIRST
     turn = 1 - _pid;
     wants[_pid] = 1;
#else
     wants[_pid] = 1;
     turn = 1 - _pid;
#endif
     do
     :: wants[1 - _pid] ->
        if
        :: turn == _pid -> break
        :: else
        fi
     :: else -> break
     od;
     atomic { critical[_pid] = 1; assert(!(critical[0] && critical[1])) }
     critical[_pid] = 0;
     wants[_pid] = 0
  od
}
