/* Twin of ticket_lock.mck; -DN= -DNUMBERS= */
#ifndef N
#define N 3
#endif
#ifndef NUMBERS
#define NUMBERS N
#endif
byte next_number; byte serving; byte inside;

active [N] proctype cpu() {
  byte mine;
end: do
  :: d_step { mine = next_number; next_number = (next_number + 1) % NUMBERS }
     d_step { serving == mine -> mine = 0 }
     d_step { inside++; assert(inside <= 1) }
     inside--;
     serving = (serving + 1) % NUMBERS
  od
}
