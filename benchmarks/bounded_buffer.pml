/* Twin of bounded_buffer.mck; -DSIZE= */
#ifndef SIZE
#define SIZE 2
#endif
byte slot[SIZE]; byte filled;

active proctype producer() {
  byte at, item;
end: do
  :: filled < SIZE;
     slot[at] = item;
     d_step { filled++; at = (at + 1) % SIZE; item = (item + 1) % (SIZE + 1) }
  od
}

active proctype consumer() {
  byte at, wanted;
end: do
  :: filled > 0;
     assert(slot[at] == wanted);
     d_step { filled--; at = (at + 1) % SIZE; wanted = (wanted + 1) % (SIZE + 1) }
  od
}
