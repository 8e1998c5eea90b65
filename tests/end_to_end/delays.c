/* Preloaded, delays some system calls of the main thread at random, by up to 30 ms: as if it had been preempted there.
 *
 * cc -shared -fPIC -o delays.so delays.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void delay(void)
{
    static unsigned int seed;
    if (syscall(SYS_gettid) != getpid())
        return;
    if (!seed)
        seed = (unsigned int)getpid();
    if (rand_r(&seed) % 4 == 0) {
        struct timespec pause = {0, (long)(rand_r(&seed) % 30) * 1000000L};
        syscall(SYS_nanosleep, &pause, NULL);
    }
}

#define FORWARD(name, type, ...) (delay(), ((type)dlsym(RTLD_NEXT, name))(__VA_ARGS__))

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return FORWARD("poll", int (*)(struct pollfd *, nfds_t, int), fds, count, timeout);
}

int sem_trywait(sem_t *sem)
{
    return FORWARD("sem_trywait", int (*)(sem_t *), sem);
}

int sem_timedwait(sem_t *sem, const struct timespec *until)
{
    return FORWARD("sem_timedwait", int (*)(sem_t *, const struct timespec *), sem, until);
}

int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
    return FORWARD("sem_clockwait", int (*)(sem_t *, clockid_t, const struct timespec *), sem, clock, until);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return FORWARD("recv", ssize_t (*)(int, void *, size_t, int), fd, buffer, size, flags);
}
