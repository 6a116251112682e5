/* Twin of hotplug_blocks.mck */
#define PAGES 64
#define OFFLINE 0
#define GOING 1
#define ONLINE 2
/* Arrays start at zero here: what is stored of the first element is its distance from what it starts with. */
#define AT_START(z) ((z) == 0 -> PAGES : 0)
#define VISIBLE(b) ((b) == 0 || v[b])
#define STATE(b) ((b) == 0 -> 2 - s[b] : s[b])
#define SET_STATE(b, x) s[b] = ((b) == 0 -> 2 - (x) : (x))
#define LAST(z) (l[z] + AT_START(z))
#define SET_LAST(z, x) l[z] = (x) - AT_START(z)
bit hotplug, device[3], block; byte readers;
bit v[3]; byte s[3]; bit zone[3];
short present[2], managed[2], first[2], l[2]; short node_present;

inline lock(m) { d_step { !m -> m = 1 } }
inline down_write() { d_step { !block -> block = 1 }; readers == 0 }

active proctype acpi() {
  lock(hotplug); down_write(); v[1] = 1; lock(device[1]); device[1] = 0; block = 0; hotplug = 0;
  lock(hotplug); down_write(); v[2] = 1; lock(device[2]); device[2] = 0; block = 0; hotplug = 0;
end: false
}

active proctype udev() {
  byte b; bit z;
end: do
  :: if
     :: b = 0
     :: d_step { VISIBLE(1) -> b = 1 }
     :: d_step { VISIBLE(2) -> b = 2 }
     fi;
     if :: z = 0 :: z = 1 fi;
     lock(hotplug); lock(device[b]);
     if
     :: STATE(b) == OFFLINE ->
        down_write();
        d_step {
          if
          :: first[z] == LAST(z) -> first[z] = b * PAGES; SET_LAST(z, (b + 1) * PAGES)
          :: else ->
             if :: b * PAGES < first[z] -> first[z] = b * PAGES :: else fi;
             if :: (b + 1) * PAGES > LAST(z) -> SET_LAST(z, (b + 1) * PAGES) :: else fi
          fi
        }
        zone[b] = z;
        managed[z] = managed[z] + PAGES;
        d_step { present[z] = present[z] + PAGES; z = 0 }
        node_present = node_present + PAGES;
        SET_STATE(b, ONLINE);
        block = 0
     :: d_step { STATE(b) != OFFLINE -> z = 0 }
     fi;
     d_step { device[b] = 0; b = 0 }
     hotplug = 0
  od
}

active proctype admin() {
  byte b;
end: do
  :: if
     :: b = 0
     :: d_step { VISIBLE(1) -> b = 1 }
     :: d_step { VISIBLE(2) -> b = 2 }
     fi;
     lock(hotplug); lock(device[b]);
     if
     :: STATE(b) == ONLINE ->
        SET_STATE(b, GOING);
        down_write();
        if
        :: skip ->
           managed[zone[b]] = managed[zone[b]] - PAGES;
           present[zone[b]] = present[zone[b]] - PAGES;
           node_present = node_present - PAGES;
           SET_STATE(b, OFFLINE)
        :: skip ->
           SET_STATE(b, ONLINE)
        fi;
        block = 0
     :: STATE(b) != ONLINE
     fi;
     d_step { device[b] = 0; b = 0 }
     hotplug = 0
  od
}

active proctype reader() {
  short seen;
end: do
  :: d_step { !block -> readers++ }
     seen = present[0] + PAGES;
     d_step { assert(seen == managed[0] + PAGES); seen = 0 }
     assert(present[0] + present[1] == node_present);
     readers--
  od
}
