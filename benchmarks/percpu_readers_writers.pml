/* Twin of percpu_readers_writers.mck; -DR= -DW= */
#ifndef R
#define R 3
#endif
#ifndef W
#define W 2
#endif
byte readers; bit block;

active [R] proctype reader() {
end: do
  :: d_step { !block -> readers++ }
     readers--
  od
}

active [W] proctype writer() {
end: do
  :: d_step { !block -> block = 1 }
     readers == 0;
     block = 0
  od
}
