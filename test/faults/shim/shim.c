/*
 * Loaded into the program's processes (LD_PRELOAD, Linux). It looks only at files under FAULTS_ROOT, and
 * - records every change and sync of them, in their order, in FAULTS_LOG (see recording.ts for the records);
 * - lets writes, syncs and creations fail, and moves the clock, as FAULTS_CONTROL says (see control.ts).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE (PATH_MAX + 16)
#define real(type, name, ...) \
  static type (*next)(__VA_ARGS__); \
  if (!next) next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

enum kind { OPENED = 1, CREATED, WRITTEN, RESIZED, SYNCED, RENAMED, LINKED, REMOVED, FOLDER, SAID };

struct control {
  uint32_t fail;      /* bits of enum failing */
  int32_t pad;
  int64_t bytes_left; /* with FULL: bytes that can still be written */
  int64_t clock;      /* seconds added to the time of day */
  int64_t failures;   /* how often something failed */
  char match[224];    /* only paths that contain this */
};
enum failing { FULL = 1, WRITE_EIO = 2, SYNC_EIO = 4, NO_INODES = 8, READ_ONLY = 16 };

struct head {
  uint32_t kind, pid;
  uint64_t inode;
  int64_t offset, length;
  uint32_t path_length, target_length;
};

static const char *root, *said;
static size_t root_length;
static int log_fd = -1;
static struct control *control;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int real_open(const char *path, int flags, mode_t mode) {
  real(int, "open", const char *, int, ...);
  return next(path, flags, mode);
}
static ssize_t real_write(int fd, const void *data, size_t count) {
  real(ssize_t, "write", int, const void *, size_t);
  return next(fd, data, count);
}
static ssize_t real_pwrite(int fd, const void *data, size_t count, off_t at) {
  real(ssize_t, "pwrite", int, const void *, size_t, off_t);
  return next(fd, data, count, at);
}

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("FAULTS_LOG"), *file = getenv("FAULTS_CONTROL");
  root = getenv("FAULTS_ROOT");
  said = getenv("FAULTS_SAID");
  if (!root) return;
  root_length = strlen(root);
  if (log) log_fd = real_open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file) {
    int fd = real_open(file, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) control = at;
    close(fd);
  }
}

static int active(void) { return root && (log_fd >= 0 || (control && control->fail)); }

/* The memory that connections share is no part of what is durable. */
static int ours(const char *path) {
  if (!root || strncmp(path, root, root_length) || (path[root_length] != '/' && path[root_length])) return 0;
  size_t length = strlen(path);
  return length < 4 || strcmp(path + length - 4, "-shm");
}
static int absolute(const char *path, char *out) {
  if (path[0] == '/') return snprintf(out, PATH_SIZE, "%s", path) < PATH_SIZE;
  char here[PATH_SIZE];
  return getcwd(here, sizeof here) && snprintf(out, PATH_SIZE, "%s/%s", here, path) < PATH_SIZE;
}
static int path_of(int fd, char *out) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, out, PATH_MAX);
  if (length <= 0) return 0;
  out[length] = 0;
  static const char gone[] = " (deleted)";
  if (length > (ssize_t)sizeof gone && !strcmp(out + length - (sizeof gone - 1), gone)) out[length - (sizeof gone - 1)] = 0;
  return 1;
}

/* Changes and their records are in one order, over all threads and processes. */
static void lock(void) {
  if (log_fd < 0) return;
  pthread_mutex_lock(&mutex);
  while (flock(log_fd, LOCK_EX) && errno == EINTR) {}
}
static void unlock(void) {
  if (log_fd < 0) return;
  int kept = errno;
  flock(log_fd, LOCK_UN);
  pthread_mutex_unlock(&mutex);
  errno = kept;
}

static void record(enum kind kind, uint64_t inode, int64_t offset, int64_t length, const char *path, const char *target, const void *data) {
  if (log_fd < 0) return;
  int kept = errno;
  struct head head = {kind, (uint32_t)getpid(), inode, offset, length, path ? strlen(path) : 0, target ? strlen(target) : 0};
  struct iovec parts[4] = {{&head, sizeof head}, {(void *)path, head.path_length}, {(void *)target, head.target_length}, {(void *)data, data ? (size_t)length : 0}};
  real(ssize_t, "writev", int, const struct iovec *, int);
  size_t total = 0;
  for (int i = 0; i < 4; i++) total += parts[i].iov_len;
  if (next(log_fd, parts, 4) != (ssize_t)total) abort();
  errno = kept;
}

static int fails(const char *path, enum failing what) {
  if (!control || !(control->fail & what) || !strstr(path, control->match)) return 0;
  __atomic_add_fetch(&control->failures, 1, __ATOMIC_RELAXED);
  return 1;
}

/* Returns how many bytes may be written; -1 with errno for none. */
static ssize_t room(const char *path, size_t count) {
  if (!control || !control->fail) return count;
  if (fails(path, READ_ONLY)) { errno = EROFS; return -1; }
  if (fails(path, WRITE_EIO)) { errno = EIO; return -1; }
  if ((control->fail & FULL) && strstr(path, control->match)) {
    int64_t left = __atomic_sub_fetch(&control->bytes_left, (int64_t)count, __ATOMIC_RELAXED) + (int64_t)count;
    if (left <= 0) {
      __atomic_add_fetch(&control->failures, 1, __ATOMIC_RELAXED);
      errno = ENOSPC;
      return -1;
    }
    if (left < (int64_t)count) return left;
  }
  return count;
}

static uint64_t inode_of(int fd, off_t *size) {
  struct stat stat;
  if (fstat(fd, &stat)) return 0;
  if (size) *size = stat.st_size;
  return stat.st_ino;
}

/* Writes at `at`, or at the file's position if `at` is negative. */
static ssize_t put(int fd, const void *data, size_t count, off_t at) {
  char path[PATH_SIZE];
  int is_said = log_fd >= 0 && said && fd == 1 && at < 0;
  if (fd == log_fd || (!is_said && (fd <= 2 || !active())) || !path_of(fd, path)) goto plain;
  if (is_said) {
    if (strcmp(path, said)) goto plain;
    lock();
    ssize_t done = real_write(fd, data, count);
    if (done > 0) record(SAID, 0, 0, done, NULL, NULL, data);
    unlock();
    return done;
  }
  if (!ours(path)) goto plain;
  ssize_t allowed = room(path, count);
  if (allowed < 0) return -1;
  lock();
  off_t size = 0, from = at;
  uint64_t inode = inode_of(fd, &size);
  if (at < 0) from = fcntl(fd, F_GETFL) & O_APPEND ? size : lseek(fd, 0, SEEK_CUR);
  ssize_t done = at < 0 ? real_write(fd, data, allowed) : real_pwrite(fd, data, allowed, at);
  if (done > 0) record(WRITTEN, inode, from, done, path, NULL, data);
  unlock();
  return done;
plain:
  return at < 0 ? real_write(fd, data, count) : real_pwrite(fd, data, count, at);
}

ssize_t write(int fd, const void *data, size_t count) { return put(fd, data, count, -1); }
ssize_t pwrite(int fd, const void *data, size_t count, off_t at) { return put(fd, data, count, at); }
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) { return put(fd, data, count, at); }

static ssize_t put_all(int fd, const struct iovec *parts, int count, off_t at) {
  ssize_t total = 0;
  for (int i = 0; i < count; i++) {
    ssize_t done = put(fd, parts[i].iov_base, parts[i].iov_len, at < 0 ? -1 : at + total);
    if (done < 0) return total > 0 ? total : -1;
    total += done;
    if ((size_t)done < parts[i].iov_len) break;
  }
  return total;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  char path[PATH_SIZE];
  real(ssize_t, "writev", int, const struct iovec *, int);
  if (!active() || fd == log_fd || !path_of(fd, path) || !(ours(path) || (said && fd == 1 && !strcmp(path, said)))) return next(fd, parts, count);
  return put_all(fd, parts, count, -1);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return put_all(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return put_all(fd, parts, count, at); }

/* Programs then copy by reading and writing. */
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t count, unsigned flags) {
  real(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
  char path[PATH_SIZE];
  if (active() && path_of(to, path) && ours(path)) { errno = ENOSYS; return -1; }
  return next(from, a, to, b, count, flags);
}
ssize_t sendfile(int to, int from, off_t *at, size_t count) {
  real(ssize_t, "sendfile", int, int, off_t *, size_t);
  char path[PATH_SIZE];
  if (active() && path_of(to, path) && ours(path)) { errno = ENOSYS; return -1; }
  return next(to, from, at, count);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t count) { return sendfile(to, from, at, count); }

static int opened(const char *given, int flags, mode_t mode) {
  char path[PATH_SIZE];
  int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
  if (!active() || !writes || !absolute(given, path) || !ours(path)) return real_open(given, flags, mode);
  if (control && control->fail) {
    if (fails(path, READ_ONLY)) { errno = EROFS; return -1; }
    if (flags & O_CREAT && access(path, F_OK) && fails(path, NO_INODES)) { errno = ENOSPC; return -1; }
  }
  lock();
  int isNew = flags & O_CREAT && access(path, F_OK);
  int fd = real_open(given, flags, mode);
  if (fd >= 0) {
    uint64_t inode = inode_of(fd, NULL);
    record(isNew ? CREATED : OPENED, inode, 0, 0, path, NULL, NULL);
    if (!isNew && flags & O_TRUNC) record(RESIZED, inode, 0, 0, path, NULL, NULL);
  }
  unlock();
  return fd;
}
static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); mode_t mode = mode_of(flags, rest); va_end(rest); \
    return opened(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)
int openat(int folder, const char *path, int flags, ...) {
  va_list rest; va_start(rest, flags); mode_t mode = mode_of(flags, rest); va_end(rest);
  real(int, "openat", int, const char *, int, ...);
  return folder == AT_FDCWD || path[0] == '/' ? opened(path, flags, mode) : next(folder, path, flags, mode);
}
int creat(const char *path, mode_t mode) { return opened(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static int resized(int fd, off_t size) {
  real(int, "ftruncate", int, off_t);
  char path[PATH_SIZE];
  if (!active() || !path_of(fd, path) || !ours(path)) return next(fd, size);
  off_t before = 0;
  uint64_t inode = inode_of(fd, &before);
  if (size > before && room(path, size - before) < size - before) return -1;
  lock();
  int done = next(fd, size);
  if (!done) record(RESIZED, inode, size, 0, path, NULL, NULL);
  unlock();
  return done;
}
int ftruncate(int fd, off_t size) { return resized(fd, size); }
int ftruncate64(int fd, off64_t size) { return resized(fd, size); }
/* Without it, files grow as they are written. */
int fallocate(int fd, int mode, off_t at, off_t length) { (void)fd, (void)mode, (void)at, (void)length; errno = EOPNOTSUPP; return -1; }
int fallocate64(int fd, int mode, off64_t at, off64_t length) { return fallocate(fd, mode, at, length); }
int posix_fallocate(int fd, off_t at, off_t length) { (void)fd, (void)at, (void)length; return EOPNOTSUPP; }

static int synced(int fd, int (*next)(int)) {
  char path[PATH_SIZE];
  if (!active() || !path_of(fd, path) || !ours(path)) return next(fd);
  if (fails(path, SYNC_EIO)) { errno = EIO; return -1; }
  lock();
  int done = next(fd);
  if (!done) record(SYNCED, inode_of(fd, NULL), 0, 0, path, NULL, NULL);
  unlock();
  return done;
}
int fsync(int fd) { real(int, "fsync", int); return synced(fd, next); }
int fdatasync(int fd) { real(int, "fdatasync", int); return synced(fd, next); }

/* Changes of names. */
static int named(const char *from, const char *to, enum kind kind, int (*next)(const char *, const char *)) {
  char source[PATH_SIZE], target[PATH_SIZE];
  if (!active() || !absolute(from, source) || !absolute(to, target) || !ours(target)) return next(from, to);
  if (fails(target, READ_ONLY)) { errno = EROFS; return -1; }
  lock();
  int done = next(from, to);
  if (!done) record(kind, 0, 0, 0, source, target, NULL);
  unlock();
  return done;
}
int rename(const char *from, const char *to) { real(int, "rename", const char *, const char *); return named(from, to, RENAMED, next); }
int renameat(int a, const char *from, int b, const char *to) { (void)a, (void)b; return rename(from, to); }
int link(const char *from, const char *to) { real(int, "link", const char *, const char *); return named(from, to, LINKED, next); }
int linkat(int a, const char *from, int b, const char *to, int flags) { (void)a, (void)b, (void)flags; return link(from, to); }

static int removed(const char *given, int (*next)(const char *)) {
  char path[PATH_SIZE];
  if (!active() || !absolute(given, path) || !ours(path)) return next(given);
  if (fails(path, READ_ONLY)) { errno = EROFS; return -1; }
  lock();
  int done = next(given);
  if (!done) record(REMOVED, 0, 0, 0, path, NULL, NULL);
  unlock();
  return done;
}
int unlink(const char *path) { real(int, "unlink", const char *); return removed(path, next); }
int rmdir(const char *path) { real(int, "rmdir", const char *); return removed(path, next); }
int remove(const char *path) { real(int, "remove", const char *); return removed(path, next); }
int unlinkat(int folder, const char *given, int flags) {
  char path[PATH_SIZE], parent[PATH_SIZE];
  real(int, "unlinkat", int, const char *, int);
  if (folder == AT_FDCWD || given[0] == '/') return flags & AT_REMOVEDIR ? rmdir(given) : unlink(given);
  if (!active() || !path_of(folder, parent) || snprintf(path, PATH_SIZE, "%s/%s", parent, given) >= PATH_SIZE || !ours(path)) return next(folder, given, flags);
  lock();
  int done = next(folder, given, flags);
  if (!done) record(REMOVED, 0, 0, 0, path, NULL, NULL);
  unlock();
  return done;
}
int mkdir(const char *given, mode_t mode) {
  char path[PATH_SIZE];
  real(int, "mkdir", const char *, mode_t);
  if (!active() || !absolute(given, path) || !ours(path)) return next(given, mode);
  if (fails(path, READ_ONLY)) { errno = EROFS; return -1; }
  if (access(path, F_OK) && fails(path, NO_INODES)) { errno = ENOSPC; return -1; }
  lock();
  int done = next(given, mode);
  if (!done) record(FOLDER, 0, 0, 0, path, NULL, NULL);
  unlock();
  return done;
}

/* The time of day. */
int clock_gettime(clockid_t which, struct timespec *at) {
  real(int, "clock_gettime", clockid_t, struct timespec *);
  int done = next(which, at);
  if (!done && control && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += control->clock;
  return done;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  real(int, "gettimeofday", struct timeval *restrict, void *restrict);
  int done = next(at, zone);
  if (!done && control) at->tv_sec += control->clock;
  return done;
}
time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
