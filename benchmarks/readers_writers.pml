/* Twin of readers_writers.mck; -DR= -DW= -DNOBODY_PREFERRED */
#ifndef R
#define R 3
#endif
#ifndef W
#define W 2
#endif
byte readers; bit writing; byte waiting;

active [R] proctype reader() {
end: do
  :: d_step { !writing && waiting == 0 -> readers++ }
     readers--
  od
}

active [W] proctype writer() {
end: do
  ::
#ifdef NOBODY_PREFERRED
     d_step { !writing && readers == 0 -> writing = 1 }
#else
     waiting++;
     d_step { !writing && readers == 0 -> writing = 1; waiting-- }
#endif
     writing = 0
  od
}
