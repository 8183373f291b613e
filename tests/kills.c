/* Preloaded into a program: counts its writing calls to files below one folder, and ends it at the one that is named.

   kills_arm(folder, report, call, file, at, mode): calls are told to the descriptor `report`, a line each, all of them
   where `at` is 0. Else the process ends at the so many-th call of that name on that file: before it (mode 0), in the
   middle of its bytes (1), or after it (2). It ends by SIGKILL from itself: nothing is flushed, no handler runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { BEFORE, TORN, AFTER };

static char folder[PATH_MAX], wanted[PATH_MAX];
static int report = -1, mode;
static atomic_long seen, target;

void kills_arm(const char *path, int descriptor, const char *call, const char *file, long at, int how)
{
    snprintf(folder, sizeof folder, "%s/", path);
    snprintf(wanted, sizeof wanted, "call %s %s\n", call, file);
    report = descriptor;
    mode = how;
    atomic_store(&seen, 0);
    atomic_store(&target, at);
}

/* Whether this call is the one. */
static int is_due(const char *call, const char *path)
{
    char line[PATH_MAX + 64];
    if (report < 0 || strncmp(path, folder, strlen(folder)) != 0)
        return 0;
    int size = snprintf(line, sizeof line, "call %s %s\n", call, path + strlen(folder));
    long at = atomic_load(&target);
    if (at != 0 && (strcmp(line, wanted) != 0 || atomic_fetch_add(&seen, 1) + 1 != at))
        return 0;
    syscall(SYS_write, report, line, (size_t)size);
    return at != 0;
}

static int is_due_on(const char *call, int descriptor)
{
    char link[64], path[PATH_MAX];
    if (report < 0 || descriptor == report)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long size = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (size < 0)
        return 0;
    path[size] = 0;
    return is_due(call, path);
}

static void end(void)
{
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;)
        pause();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define AROUND(due, whole, half)      \
    do {                              \
        if (!(due))                   \
            return whole;             \
        if (mode == TORN)             \
            half;                     \
        else if (mode == AFTER)       \
            (void)!(whole);           \
        end();                        \
        return -1;                    \
    } while (0)

ssize_t write(int fd, const void *data, size_t size)
{
    AROUND(is_due_on("write", fd), NEXT(write)(fd, data, size), (void)!NEXT(write)(fd, data, size / 2));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    AROUND(is_due_on("pwrite", fd), NEXT(pwrite)(fd, data, size, at), (void)!NEXT(pwrite)(fd, data, size / 2, at));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    AROUND(is_due_on("pwrite", fd), NEXT(pwrite64)(fd, data, size, at), (void)!NEXT(pwrite64)(fd, data, size / 2, at));
}

int fsync(int fd)
{
    AROUND(is_due_on("fsync", fd), NEXT(fsync)(fd), (void)0);
}

int fdatasync(int fd)
{
    AROUND(is_due_on("fdatasync", fd), NEXT(fdatasync)(fd), (void)0);
}

int ftruncate(int fd, off_t size)
{
    AROUND(is_due_on("ftruncate", fd), NEXT(ftruncate)(fd, size), (void)0);
}

int ftruncate64(int fd, off64_t size)
{
    AROUND(is_due_on("ftruncate", fd), NEXT(ftruncate64)(fd, size), (void)0);
}

int rename(const char *from, const char *to)
{
    AROUND(is_due("rename", to), NEXT(rename)(from, to), (void)0);
}

int unlink(const char *path)
{
    AROUND(is_due("unlink", path), NEXT(unlink)(path), (void)0);
}
