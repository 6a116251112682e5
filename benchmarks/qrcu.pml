/* Twin of qrcu.mck; -DREADERS= -DUPDATERS= -DONCE */
#ifndef READERS
#define READERS 2
#endif
#ifndef UPDATERS
#define UPDATERS 1
#endif
/* The first counter starts at one: what is stored is its distance from that. */
#define CTR(i) (c[i] + 1 - (i))
short c[2]; bit current; bit locked; bit inside[READERS];

active [READERS] proctype reader() {
  bit i, got;
end: do
  :: i = current;
     d_step { if :: CTR(i) > 0 -> c[i]++; got = 1 :: else fi }
     if
     :: d_step { got -> got = 0 } -> break
     :: d_step { !got -> i = 0 }
     fi
  od;
  inside[_pid] = 1;
  inside[_pid] = 0;
  d_step { c[i]--; i = 0 }
end2: false
}

active [UPDATERS] proctype updater() {
  bit was[READERS]; bit i, picked; byte sum, r;
  d_step { r = 0; do :: r < READERS -> was[r] = inside[r]; r++ :: else -> break od; r = 0 }
  if :: picked = 0 :: picked = 1 fi;
  d_step { i = picked; sum = CTR(i); picked = 0 }
  d_step { i = 1 - i; sum = sum + CTR(i); i = 0 }
#ifndef ONCE
  if
  :: d_step { sum <= 1 -> sum = 0 };
     if :: picked = 0 :: picked = 1 fi;
     d_step { i = picked; sum = CTR(i); picked = 0 }
     d_step { i = 1 - i; sum = sum + CTR(i); i = 0 }
  :: sum > 1
  fi;
#endif
  if
  :: d_step { sum > 1 -> sum = 0 };
     d_step { !locked -> locked = 1 }
     i = current;
     c[1 - i]++;
     current = 1 - i;
     c[i]--;
     d_step { CTR(i) == 0 -> i = 0 }
     locked = 0
  :: d_step { sum <= 1 -> sum = 0 }
  fi;
  d_step {
    r = 0;
    do
    :: r < READERS -> assert(!(was[r] && inside[r])); was[r] = 0; r++
    :: else -> break
    od;
    r = 0
  }
end: false
}
