/* A GPIO chip for a process that has none: preloaded, it answers libgpiod in the place of the kernel (uAPI v2).
 *
 * /dev/gpiochip0 has the lines LINE0 to LINE15. What happens on the far side of them is up to the process itself:
 * far_put(line, level) drives an input, far_level(line) is what stands on a line.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PATH "/dev/gpiochip0"
#define LINES 16
#define NEXT(name) dlsym(RTLD_NEXT, name)

struct line {
    int level;
    __u64 flags;
    int request; /* descriptor that libgpiod has, 0 if nobody has the line */
    int far;     /* where its events are written */
    __u32 place; /* among the lines of the request */
};

static struct line lines[LINES];
static __u32 sequence;

static int is_low(const struct line *line) { return (line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0; }

int far_level(int number) { return lines[number].level; }

void far_put(int number, int level) {
    struct line *line = &lines[number];
    if (line->level == level)
        return;
    line->level = level;
    int is_active = level ^ is_low(line);
    __u64 wanted = is_active ? GPIO_V2_LINE_FLAG_EDGE_RISING : GPIO_V2_LINE_FLAG_EDGE_FALLING;
    if (!line->request || !(line->flags & wanted))
        return;
    struct gpio_v2_line_event event = {
        .id = is_active ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE,
        .offset = number, .seqno = ++sequence, .line_seqno = sequence,
    };
    if (write(line->far, &event, sizeof event) < 0)
        abort();
}

/* The chip as a file */

static int is_chip(const char *path) { return path && !strcmp(path, PATH); }

static int tell_of_chip(struct stat *found) {
    memset(found, 0, sizeof *found);
    found->st_mode = S_IFCHR | 0600;
    found->st_rdev = makedev(254, 0);
    return 0;
}

int open(const char *path, int flags, ...) {
    int (*next)(const char *, int, ...) = NEXT("open");
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    return is_chip(path) ? next("/dev/null", flags) : next(path, flags, mode);
}

int stat(const char *path, struct stat *found) {
    int (*next)(const char *, struct stat *) = NEXT("stat");
    return is_chip(path) ? tell_of_chip(found) : next(path, found);
}

int lstat(const char *path, struct stat *found) {
    int (*next)(const char *, struct stat *) = NEXT("lstat");
    return is_chip(path) ? tell_of_chip(found) : next(path, found);
}

int __xstat(int version, const char *path, struct stat *found) {
    int (*next)(int, const char *, struct stat *) = NEXT("__xstat");
    return is_chip(path) ? tell_of_chip(found) : next(version, path, found);
}

int __lxstat(int version, const char *path, struct stat *found) {
    int (*next)(int, const char *, struct stat *) = NEXT("__lxstat");
    return is_chip(path) ? tell_of_chip(found) : next(version, path, found);
}

char *realpath(const char *path, char *found) {
    char *(*next)(const char *, char *) = NEXT("realpath");
    if (strstr(path, "/254:0/subsystem") || !strcmp(path, "/sys/bus/gpio"))
        return found ? strcpy(found, "/sys/bus/gpio") : strdup("/sys/bus/gpio");
    return next(path, found);
}

int close(int descriptor) {
    int (*next)(int) = NEXT("close");
    int far = 0;
    for (int number = 0; descriptor > 0 && number < LINES; number++)
        if (lines[number].request == descriptor) {
            far = lines[number].far;
            /* What nobody drives any more is pulled down. */
            if (lines[number].flags & GPIO_V2_LINE_FLAG_OUTPUT)
                lines[number].level = 0;
            lines[number].request = 0;
            lines[number].flags = 0;
        }
    if (far)
        next(far);
    return next(descriptor);
}

/* What the kernel answers */

static int refuse(int code) {
    errno = code;
    return -1;
}

static int give_lines(struct gpio_v2_line_request *asked) {
    int ends[2];
    for (__u32 place = 0; place < asked->num_lines; place++)
        if (lines[asked->offsets[place]].request)
            return refuse(EBUSY);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    asked->fd = ends[0];
    for (__u32 place = 0; place < asked->num_lines; place++) {
        struct line *line = &lines[asked->offsets[place]];
        line->request = ends[0];
        line->far = ends[1];
        line->place = place;
        line->flags = asked->config.flags;
        int is_active = 0;
        for (__u32 number = 0; number < asked->config.num_attrs; number++) {
            const struct gpio_v2_line_config_attribute *of = &asked->config.attrs[number];
            if (!(of->mask >> place & 1))
                continue;
            if (of->attr.id == GPIO_V2_LINE_ATTR_ID_FLAGS)
                line->flags = of->attr.flags;
            if (of->attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES)
                is_active = of->attr.values >> place & 1;
        }
        if (line->flags & GPIO_V2_LINE_FLAG_OUTPUT)
            line->level = is_active ^ is_low(line);
    }
    return 0;
}

int ioctl(int descriptor, unsigned long request, ...) {
    int (*next)(int, unsigned long, ...) = NEXT("ioctl");
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    request &= 0xFFFFFFFF;
    if (_IOC_TYPE(request) != 0xB4)
        return next(descriptor, request, argument);
    if (request == GPIO_GET_CHIPINFO_IOCTL) {
        struct gpiochip_info *chip = argument;
        memset(chip, 0, sizeof *chip);
        strcpy(chip->name, "gpiochip0");
        chip->lines = LINES;
        return 0;
    }
    if (request == GPIO_V2_GET_LINEINFO_IOCTL) {
        struct gpio_v2_line_info *line = argument;
        __u32 number = line->offset;
        if (number >= LINES)
            return refuse(EINVAL);
        memset(line, 0, sizeof *line);
        line->offset = number;
        line->flags = GPIO_V2_LINE_FLAG_INPUT;
        snprintf(line->name, sizeof line->name, "LINE%u", number);
        return 0;
    }
    if (request == GPIO_V2_GET_LINE_IOCTL)
        return give_lines(argument);
    struct gpio_v2_line_values *values = argument;
    if (request == GPIO_V2_LINE_GET_VALUES_IOCTL)
        values->bits = 0;
    for (int number = 0; number < LINES; number++) {
        struct line *line = &lines[number];
        if (line->request != descriptor || !(values->mask >> line->place & 1))
            continue;
        if (request == GPIO_V2_LINE_SET_VALUES_IOCTL)
            line->level = (values->bits >> line->place & 1) ^ is_low(line);
        else if (request == GPIO_V2_LINE_GET_VALUES_IOCTL)
            values->bits |= (__u64)(line->level ^ is_low(line)) << line->place;
        else
            return refuse(ENOTTY);
    }
    return 0;
}
