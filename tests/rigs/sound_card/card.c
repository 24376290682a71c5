/* A virtual sound card: an ALSA ioplug that captures from a file at the monotonic clock's pace.
 *
 * The file holds interleaved frames in the card's own format and repeats for ever. A small mapped
 * control file, struct control below, unplugs it, stalls its clock, lets it overrun, or makes its
 * clock fast or slow; it tells when the card started and at which frame of the file it is.
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MILLION 1000000LL

struct control {
    volatile int32_t unplug, stall, xruns, ppm; /* set by the test */
    volatile int64_t start_ns, start_frame;     /* told by the card: when it last started */
    volatile int64_t overruns;                  /* told by the card: overruns it has had */
};

struct card {
    snd_pcm_ioplug_t io;
    struct control *control;
    char *data;
    int64_t frames, start_ns, played, base; /* base: the file's frame at the last start */
    int xruns_done, running;
    size_t frame_bytes;
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Frames the card has had since it started, by its own clock. */
static int64_t due_frames(struct card *c) {
    __int128 parts = (__int128)(now_ns() - c->start_ns) * c->io.rate * (MILLION + c->control->ppm);
    return (int64_t)(parts / (1000000000LL * MILLION));
}

/* Wake the reader at the card's next quarter of a period: reckoned from the start each time, so
 * that nothing adds up, and by the card's clock, since arrivals keep the timer's pace. */
static void set_timer(struct card *c) {
    int64_t period = (int64_t)c->io.period_size;
    int64_t next = due_frames(c) * 4 / period + 1;
    __int128 up = (__int128)next * period * 1000000000LL * MILLION;
    __int128 down = (__int128)4 * c->io.rate * (MILLION + c->control->ppm);
    int64_t at = c->start_ns + (int64_t)((up + down - 1) / down);
    struct itimerspec its = {{0, 0}, {at / 1000000000LL, at % 1000000000LL}};
    timerfd_settime(c->io.poll_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void stop_timer(struct card *c) {
    struct itimerspec never = {{0, 0}, {0, 0}};
    timerfd_settime(c->io.poll_fd, 0, &never, NULL);
}

static int card_start(snd_pcm_ioplug_t *io) {
    struct card *c = io->private_data;
    if (c->control->unplug) return -ENODEV;
    c->start_ns = now_ns();
    c->running = 1;
    c->control->start_frame = c->base;
    c->control->start_ns = c->start_ns;
    set_timer(c);
    return 0;
}

static int card_stop(snd_pcm_ioplug_t *io) {
    struct card *c = io->private_data;
    c->running = 0;
    stop_timer(c);
    return 0;
}

static int card_prepare(snd_pcm_ioplug_t *io) {
    struct card *c = io->private_data;
    c->base += c->played; /* what was played and not read is gone */
    c->played = 0;
    c->running = 0;
    return 0;
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io) {
    struct card *c = io->private_data;
    if (c->control->unplug) return -ENODEV;
    if (!c->running) return 0;
    if (!c->control->stall) {
        int64_t due = due_frames(c);
        int wanted = c->xruns_done < c->control->xruns;
        if (wanted || due - (int64_t)io->appl_ptr > (int64_t)io->buffer_size) {
            c->xruns_done += wanted;
            c->control->overruns++;
            c->played = due;
            return -EPIPE;
        }
        c->played = due;
    }
    return c->played % io->buffer_size;
}

static snd_pcm_sframes_t card_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                       snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
    struct card *c = io->private_data;
    char *to = (char *)areas[0].addr + (areas[0].first + areas[0].step * offset) / 8;
    for (snd_pcm_uframes_t i = 0; i < size; i++) {
        int64_t at = (c->base + (int64_t)io->appl_ptr + (int64_t)i) % c->frames;
        memcpy(to + i * c->frame_bytes, c->data + at * c->frame_bytes, c->frame_bytes);
    }
    return size;
}

static int card_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd, unsigned int n,
                             unsigned short *revents) {
    struct card *c = io->private_data;
    uint64_t ticks;
    (void)n;
    *revents = 0;
    if (pfd->revents & POLLIN) {
        if (read(io->poll_fd, &ticks, sizeof ticks) < 0) return 0;
        if (c->running) set_timer(c);
        if (c->control->unplug) {
            *revents = POLLERR;
            return 0;
        }
        if (c->control->stall) return 0;
        snd_pcm_sframes_t ready = snd_pcm_avail_update(io->pcm);
        if (ready < 0 || ready >= (snd_pcm_sframes_t)io->period_size) *revents = POLLIN;
    }
    return 0;
}

static int card_close(snd_pcm_ioplug_t *io) {
    struct card *c = io->private_data;
    close(io->poll_fd);
    free(c);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .prepare = card_prepare, .start = card_start, .stop = card_stop, .pointer = card_pointer, .transfer = card_transfer,
    .poll_revents = card_poll_revents, .close = card_close,
};

static void *map_file(const char *path, size_t *size, int writable) {
    int fd = open(path, writable ? O_RDWR : O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) return MAP_FAILED;
    *size = st.st_size;
    void *at = mmap(NULL, *size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    close(fd);
    return at;
}

static int constrain(snd_pcm_ioplug_t *io, long format, long channels, long rate) {
    unsigned int access[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED};
    unsigned int formats[] = {format};
    int fault = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, access);
    if (!fault) fault = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats);
    if (!fault) fault = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels);
    if (!fault) fault = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, rate, rate);
    if (!fault) fault = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64, 1 << 20);
    if (!fault) fault = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64);
    return fault;
}

SND_PCM_PLUGIN_DEFINE_FUNC(takewatch_card) {
    const char *data = NULL, *control = NULL, *format = "S32_LE";
    long channels = 2, rate = 48000;
    snd_config_iterator_t i, next;
    (void)root;
    snd_config_for_each(i, next, conf) {
        snd_config_t *n = snd_config_iterator_entry(i);
        const char *id;
        if (snd_config_get_id(n, &id) < 0) continue;
        if (!strcmp(id, "data")) snd_config_get_string(n, &data);
        else if (!strcmp(id, "control")) snd_config_get_string(n, &control);
        else if (!strcmp(id, "format")) snd_config_get_string(n, &format);
        else if (!strcmp(id, "channels")) snd_config_get_integer(n, &channels);
        else if (!strcmp(id, "rate")) snd_config_get_integer(n, &rate);
    }
    if (!data || !control || stream != SND_PCM_STREAM_CAPTURE) return -EINVAL;
    struct card *c = calloc(1, sizeof *c);
    size_t bytes, control_bytes;
    c->data = map_file(data, &bytes, 0);
    c->control = map_file(control, &control_bytes, 1);
    if (c->data == MAP_FAILED || c->control == MAP_FAILED || c->control->unplug) {
        free(c);
        return -ENODEV;
    }
    snd_pcm_format_t code = snd_pcm_format_value(format);
    c->frame_bytes = snd_pcm_format_physical_width(code) / 8 * channels;
    c->frames = bytes / c->frame_bytes;
    c->xruns_done = c->control->xruns;
    c->io.version = SND_PCM_IOPLUG_VERSION;
    c->io.name = "Takewatch virtual sound card";
    c->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    c->io.poll_events = POLLIN;
    c->io.mmap_rw = 0;
    c->io.callback = &callbacks;
    c->io.private_data = c;
    int fault = snd_pcm_ioplug_create(&c->io, name, stream, mode);
    if (fault < 0) { free(c); return fault; }
    fault = constrain(&c->io, code, channels, rate);
    if (fault < 0) { snd_pcm_ioplug_delete(&c->io); return fault; }
    *pcmp = c->io.pcm;
    return 0;
}
SND_PCM_PLUGIN_SYMBOL(takewatch_card);
