// The agent in the recorded kernel: commands come as lines over a serial line, an answer is one line of JSON.
//
//   write MS PATH HEX     open, write, close; SIGUSR1 after MS milliseconds (0: none)
//   read PATH             open, read, close
//   observe FILE...       these files of every memory block, with the nodes it is linked to
//   lines PATH WORD...    the lines of a file that contain one of the words
//   threads N             then N lines "CPU SCRIPT": start so many threads, which begin together
//   join MS               wait for them; after MS milliseconds they get SIGUSR1 until they end
//   pin LOW HIGH MIB N    fill memory, and keep references to N of its pages between two page frames (hexadecimal)
//   unpin
//   shell COMMAND
//   file PATH             "bytes N", a line feed, and N bytes
//
// A script is steps with ';' between them: "write,PATH,HEX,TIMES", "alternate,PATH,HEX,HEX,TIMES", "read,PATH,TIMES",
// "appear,PATH,HEX,TIMES" (write as soon as the file is there), "sleep,MICROSECONDS".
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MEMORY "/sys/devices/system/memory"
#define PAGE 4096
enum { THREADS = 16, OPERATIONS = 4096, BLOCKS = 1024, TEXT = 4096, LINE = 1 << 16 };

static int line = -1;

// --- answers

static char *answer;
static size_t used, room;

static void put(const char *text, size_t size)
{
	if (used + size + 1 > room) {
		room = 2 * (used + size + 1);
		answer = realloc(answer, room);
	}
	memcpy(answer + used, text, size);
	used += size;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char text[1024];
	va_list list;

	va_start(list, format);
	int size = vsnprintf(text, sizeof text, format, list);
	va_end(list);
	put(text, size < (int)sizeof text ? size : (int)sizeof text - 1);
}

static void quote(const char *text, ssize_t size)
{
	put("\"", 1);
	for (ssize_t n = 0; n < size; n++) {
		unsigned char c = text[n];

		if (c < 32 || c > 126 || c == '"' || c == '\\')
			say("\\u%04x", c);
		else
			put((const char *)&c, 1);
	}
	put("\"", 1);
}

static void send_all(const char *text, size_t size)
{
	while (size) {
		ssize_t done = write(line, text, size);

		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (done < 0)
			_exit(9);
		text += done;
		size -= done;
	}
}

static void answered(void)
{
	put("\n", 1);
	send_all(answer, used);
	used = 0;
}

static char *next_line(void)
{
	static char text[LINE];
	size_t size = 0;

	for (;;) {
		char c;
		ssize_t got = read(line, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			usleep(10000);
			continue;
		}
		if (c == '\n') {
			text[size] = 0;
			return text;
		}
		if (size < sizeof text - 1)
			text[size++] = c;
	}
}

// --- operations

struct operation {
	int thread, id, begin, end, first_cpu, last_cpu, error, open_error;
	double from, to;
	long result;
	char kind, path[160], data[TEXT];
	int size;
};

static struct operation *operations;
static atomic_int count, order, stopping;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static int digit(int c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static int unhex(const char *text, char *data)
{
	int size = 0;

	for (; text[0] > ' ' && text[1] > ' ' && size < TEXT; text += 2)
		data[size++] = digit(text[0]) * 16 + digit(text[1]);
	return size;
}

static void perform(struct operation *o, int milliseconds)
{
	o->id = syscall(SYS_gettid);
	o->begin = atomic_fetch_add(&order, 1);
	o->first_cpu = sched_getcpu();
	o->from = now();
	int file = open(o->path, (o->kind == 'w' ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

	if (file < 0) {
		o->result = -1;
		o->error = o->open_error = errno;
	} else {
		timer_t timer;
		struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
		struct itimerspec when = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000000L}};

		if (milliseconds) {
			timer_create(CLOCK_MONOTONIC, &event, &timer);
			timer_settime(timer, 0, &when, 0);
		}
		o->from = now();
		o->result = o->kind == 'w' ? write(file, o->data, o->size) : read(file, o->data, TEXT);
		o->error = o->result < 0 ? errno : 0;
		if (milliseconds)
			timer_delete(timer);
		if (o->kind == 'r')
			o->size = o->result > 0 ? o->result : 0;
		close(file);
	}
	o->to = now();
	o->last_cpu = sched_getcpu();
	o->end = atomic_fetch_add(&order, 1);
}

static void say_operation(const struct operation *o)
{
	say("{\"op\":\"%s\",\"thr\":%d,\"pid\":%d,\"s0\":%d,\"s1\":%d,\"cpu0\":%d,\"cpu1\":%d,\"t0\":%.6f,\"t1\":%.6f,",
	    o->kind == 'w' ? "write" : "read", o->thread, o->id, o->begin, o->end, o->first_cpu, o->last_cpu, o->from, o->to);
	say("\"ret\":%ld,\"errno\":%d,\"open_errno\":%d,\"path\":\"%s\",\"data\":", o->result, o->error, o->open_error, o->path);
	quote(o->data, o->size);
	say("}");
}

static void one(char kind, char *arguments)
{
	static struct operation o;
	char hex[2 * TEXT + 1] = "";
	int milliseconds = 0;

	memset(&o, 0, sizeof o);
	o.kind = kind;
	if (kind == 'w' && sscanf(arguments, "%d %159s %8192s", &milliseconds, o.path, hex) < 2) {
		say("{\"error\":\"write MS PATH HEX\"}");
		return;
	}
	if (kind == 'r')
		snprintf(o.path, sizeof o.path, "%s", arguments);
	o.size = unhex(hex, o.data);
	perform(&o, milliseconds);
	say_operation(&o);
}

// --- threads

struct runner {
	int number, cpu;
	char *script;
	pthread_t thread;
	atomic_int done;
};

static struct runner runners[THREADS];
static int running;
static pthread_barrier_t together;

static void repeat(struct runner *r, char kind, const char *path, const char *hex, const char *other, int times)
{
	for (int n = 0; n < times && !atomic_load(&stopping); n++) {
		int number = atomic_fetch_add(&count, 1);

		if (number >= OPERATIONS)
			return;
		struct operation *o = &operations[number];

		memset(o, 0, sizeof *o);
		o->kind = kind;
		o->thread = r->number;
		snprintf(o->path, sizeof o->path, "%s", path);
		o->size = kind == 'w' ? unhex(other && n % 2 ? other : hex, o->data) : 0;
		perform(o, 0);
	}
}

static void step(struct runner *r, char *text)
{
	char *part[6] = {0}, *rest;
	int n = 0;

	for (char *each = strtok_r(text, ",", &rest); each && n < 6; each = strtok_r(0, ",", &rest))
		part[n++] = each;
	if (n < 2)
		return;
	if (!strcmp(part[0], "sleep"))
		usleep(atoi(part[1]));
	else if (!strcmp(part[0], "read"))
		repeat(r, 'r', part[1], 0, 0, part[2] ? atoi(part[2]) : 1);
	else if (!strcmp(part[0], "alternate") && n == 5)
		repeat(r, 'w', part[1], part[2], part[3], atoi(part[4]));
	else if (n >= 3) {
		if (!strcmp(part[0], "appear"))
			for (double end = now() + 4; now() < end && access(part[1], F_OK);)
				;
		repeat(r, 'w', part[1], part[2], 0, part[3] ? atoi(part[3]) : 1);
	}
}

static void *run(void *argument)
{
	struct runner *r = argument;
	char name[16], *rest;

	if (r->cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(r->cpu, &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	snprintf(name, sizeof name, "agt%d", r->number);
	pthread_setname_np(pthread_self(), name);
	pthread_barrier_wait(&together);
	for (char *each = strtok_r(r->script, ";", &rest); each; each = strtok_r(0, ";", &rest)) {
		if (atomic_load(&stopping))
			break;
		step(r, each);
	}
	atomic_store(&r->done, 1);
	return 0;
}

static void start_threads(int number)
{
	running = number < THREADS ? number : THREADS;
	atomic_store(&count, 0);
	atomic_store(&stopping, 0);
	pthread_barrier_init(&together, 0, running);
	for (int n = 0; n < running; n++) {
		char *text = next_line(), *space = strchr(text, ' ');

		runners[n].number = n;
		runners[n].cpu = atoi(text);
		runners[n].script = strdup(space ? space + 1 : "");
		atomic_store(&runners[n].done, 0);
	}
	for (int n = 0; n < running; n++)
		pthread_create(&runners[n].thread, 0, run, &runners[n]);
	say("{\"threads\":%d}", running);
}

static int ended(void)
{
	int number = 0;

	for (int n = 0; n < running; n++)
		number += atomic_load(&runners[n].done);
	return number;
}

static int by_begin(const void *a, const void *b)
{
	return ((const struct operation *)a)->begin - ((const struct operation *)b)->begin;
}

static void join(int milliseconds)
{
	int signals = 0;

	for (double end = now() + milliseconds / 1e3; ended() < running && signals < 40; usleep(2000)) {
		if (now() < end)
			continue;
		atomic_store(&stopping, 1);
		for (int n = 0; n < running; n++)
			if (!atomic_load(&runners[n].done))
				pthread_kill(runners[n].thread, SIGUSR1);
		signals++;
		usleep(300000);
	}
	if (ended() < running) {
		say("{\"pending\":%d}", running - ended());
		return;
	}
	for (int n = 0; n < running; n++) {
		pthread_join(runners[n].thread, 0);
		free(runners[n].script);
	}
	running = 0;
	int number = atomic_load(&count) < OPERATIONS ? atomic_load(&count) : OPERATIONS;

	qsort(operations, number, sizeof *operations, by_begin);
	say("{\"signals\":%d,\"ops\":[", signals);
	for (int n = 0; n < number; n++) {
		say("%s", n ? "," : "");
		say_operation(&operations[n]);
	}
	say("]}");
}

// --- what there is to see

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void say_file(const char *path)
{
	char text[TEXT];
	int file = open(path, O_RDONLY);
	ssize_t size = file < 0 ? -1 : read(file, text, sizeof text);

	if (file >= 0)
		close(file);
	while (size > 0 && text[size - 1] == '\n')
		size--;
	if (size < 0)
		say("null");
	else
		quote(text, size);
}

static void say_nodes(const char *folder)
{
	DIR *directory = opendir(folder);
	const char *between = "";

	say("\"nodes\":[");
	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (entry->d_type == DT_LNK && !strncmp(entry->d_name, "node", 4)) {
			say("%s\"%s\"", between, entry->d_name);
			between = ",";
		}
	say("]");
	if (directory)
		closedir(directory);
}

static void observe(char *files)
{
	int blocks[BLOCKS], number = 0;
	char *name[16], *rest;
	int names = 0;
	DIR *directory = opendir(MEMORY);

	for (struct dirent *entry; directory && number < BLOCKS && (entry = readdir(directory));)
		number += sscanf(entry->d_name, "memory%d", &blocks[number]) == 1;
	if (directory)
		closedir(directory);
	qsort(blocks, number, sizeof *blocks, by_number);
	for (char *each = strtok_r(files, " ", &rest); each && names < 16; each = strtok_r(0, " ", &rest))
		name[names++] = each;
	say("{\"t\":%.6f,\"blocks\":[", now());
	for (int n = 0; n < number; n++) {
		char path[128];

		say("%s{\"id\":%d,", n ? "," : "", blocks[n]);
		for (int k = 0; k < names; k++) {
			snprintf(path, sizeof path, MEMORY "/memory%d/%s", blocks[n], name[k]);
			say("\"%s\":", name[k]);
			say_file(path);
			say(",");
		}
		snprintf(path, sizeof path, MEMORY "/memory%d", blocks[n]);
		say_nodes(path);
		say("}");
	}
	say("]}");
}

static void lines(char *arguments)
{
	char *rest, text[512], *word[16], *between = "";
	char *path = strtok_r(arguments, " ", &rest);
	int words = 0;

	for (char *each; words < 16 && (each = strtok_r(0, " ", &rest));)
		word[words++] = each;
	FILE *file = path ? fopen(path, "r") : 0;

	say("{\"lines\":[");
	while (file && fgets(text, sizeof text, file))
		for (int n = 0; n < words; n++)
			if (strstr(text, word[n])) {
				say("%s", between);
				quote(text, strcspn(text, "\n"));
				between = ",";
				break;
			}
	say("]}");
	if (file)
		fclose(file);
}

static void shell(const char *command)
{
	FILE *pipe = popen(command, "r");
	char text[TEXT];
	size_t size;

	say("{\"out\":");
	put("\"", 1);
	while (pipe && (size = fread(text, 1, sizeof text, pipe)) > 0) {
		size_t before = used;

		quote(text, size);
		memmove(answer + before, answer + before + 1, used - before - 1);  // without its quotes
		used -= 2;
	}
	put("\"", 1);
	say(",\"rc\":%d}", pipe ? pclose(pipe) : -1);
}

static void file(const char *path)
{
	int source = open(path, O_RDONLY);
	off_t size = source < 0 ? 0 : lseek(source, 0, SEEK_END);
	char text[TEXT];

	say("bytes %ld", (long)size);
	answered();
	lseek(source, 0, SEEK_SET);
	for (ssize_t got; size > 0 && (got = read(source, text, size < TEXT ? size : TEXT)) > 0; size -= got)
		send_all(text, got);
	if (source >= 0)
		close(source);
}

// --- pages that do not go away

static int pipe_ends[2] = {-1, -1};
static char *filled;
static size_t filled_size;

static uint64_t frame_of(int pagemap, const char *address)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, 8, (uintptr_t)address / PAGE * 8) != 8 || !(entry >> 63))
		return 0;
	return entry & ((1ULL << 55) - 1);
}

static void pin(const char *arguments)
{
	unsigned long low, high, first = 0;
	long mib, wanted, inside = 0, pinned = 0;

	if (sscanf(arguments, "%lx %lx %ld %ld", &low, &high, &mib, &wanted) != 4 || pipe(pipe_ends) < 0) {
		say("{\"error\":\"pin LOW HIGH MIB N\"}");
		return;
	}
	filled_size = mib << 20;
	filled = mmap(0, filled_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (filled == MAP_FAILED) {
		say("{\"error\":\"no memory\"}");
		return;
	}
	madvise(filled, filled_size, MADV_NOHUGEPAGE);
	for (size_t n = 0; n < filled_size; n += PAGE)
		filled[n] = 1;
	int pagemap = open("/proc/self/pagemap", O_RDONLY);

	for (size_t n = 0; n < filled_size; n += PAGE) {
		uint64_t frame = frame_of(pagemap, filled + n);
		struct iovec page = {filled + n, PAGE};

		if (frame < low || frame >= high)
			continue;
		inside++;
		if (pinned < wanted && vmsplice(pipe_ends[1], &page, 1, SPLICE_F_NONBLOCK) == PAGE) {
			first = first ? first : frame;
			pinned++;
		}
	}
	close(pagemap);
	say("{\"op\":\"pin\",\"touched_mb\":%ld,\"pages_in_range\":%ld,\"pinned\":%ld,\"first_pfn\":%lu,\"errno\":0}",
	    mib, inside, pinned, first);
}

static void unpin(void)
{
	for (int n = 0; n < 2; n++) {
		if (pipe_ends[n] >= 0)
			close(pipe_ends[n]);
		pipe_ends[n] = -1;
	}
	if (filled && filled != MAP_FAILED)
		munmap(filled, filled_size);
	filled = 0;
	say("{\"op\":\"unpin\"}");
}

// --- the loop

static void obey(char *command)
{
	char *arguments = strchr(command, ' ');

	if (arguments)
		*arguments++ = 0;
	else
		arguments = "";
	if (!strcmp(command, "write"))
		one('w', arguments);
	else if (!strcmp(command, "read"))
		one('r', arguments);
	else if (!strcmp(command, "observe"))
		observe(arguments);
	else if (!strcmp(command, "lines"))
		lines(arguments);
	else if (!strcmp(command, "threads"))
		start_threads(atoi(arguments));
	else if (!strcmp(command, "join"))
		join(atoi(arguments));
	else if (!strcmp(command, "pin"))
		pin(arguments);
	else if (!strcmp(command, "unpin"))
		unpin();
	else if (!strcmp(command, "shell"))
		shell(arguments);
	else
		say("{\"error\":\"no such command\"}");
	answered();
}

static void interrupted(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	struct termios settings;
	struct sigaction action = {.sa_handler = interrupted};

	line = argc == 2 ? open(argv[1], O_RDWR | O_NOCTTY) : -1;
	if (line < 0)
		return 1;
	tcgetattr(line, &settings);
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	tcsetattr(line, TCSANOW, &settings);
	sigaction(SIGUSR1, &action, 0);
	signal(SIGPIPE, SIG_IGN);
	operations = mmap(0, sizeof *operations * OPERATIONS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("{\"hello\":%.6f}", now());
	answered();
	for (;;) {
		char *command = next_line();

		if (!strncmp(command, "file ", 5))
			file(command + 5);
		else if (*command)
			obey(command);
	}
}
