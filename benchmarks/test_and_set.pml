/* Twin of test_and_set.mck; -DN= -DNOT_ATOMIC */
#ifndef N
#define N 3
#endif
bit locked; byte inside;

active [N] proctype cpu() {
  bit was_locked;
end: do
  ::
#ifdef NOT_ATOMIC
     was_locked = locked;
     locked = 1;
#else
     d_step { was_locked = locked; locked = 1 }
#endif
     if
     :: d_step { was_locked -> was_locked = 0 }
     :: else ->
        d_step { inside++; assert(inside <= 1) }
        inside--;
        locked = 0
     fi
  od
}
