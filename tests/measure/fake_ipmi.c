/* A stand-in for the kernel's IPMI device, put before the C library: a controller that answers DCMI's "Get Power Reading".
 * It reads and fills the structures of linux/ipmi.h itself, so that what Python lays out by hand is held against them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/ipmi.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int fault(int code) { errno = code; return -1; }

static int is(const char *mode) { const char *text = getenv("FAKE_IPMI"); return text && strcmp(text, mode) == 0; }

static int take(int device, struct ipmi_req *request) {
    struct ipmi_system_interface_addr *address = (void *)request->addr;
    static const unsigned char wanted[] = {0xDC, 0x01, 0, 0};
    if (request->addr_len < sizeof *address || address->addr_type != IPMI_SYSTEM_INTERFACE_ADDR_TYPE) return fault(EINVAL);
    if (address->channel != IPMI_BMC_CHANNEL || address->lun != 0) return fault(EINVAL);
    if (request->msg.netfn != 0x2C || request->msg.cmd != 0x02 || request->msg.data_len != sizeof wanted) return fault(EINVAL);
    if (memcmp(request->msg.data, wanted, sizeof wanted) != 0) return fault(EINVAL);
    return is("silent") ? 0 : write(device, "a", 1) == 1 ? 0 : fault(EIO);
}

static int answer(int device, struct ipmi_recv *received) {
    unsigned char one, found[] = {0, 0xDC, 0x9C, 0x01, 100, 0, 0xF4, 0x01, 200, 0, 0, 0, 0, 0, 0xE8, 0x03, 0, 0, 0x40};
    if (read(device, &one, 1) != 1) return fault(EIO);
    if (is("refused")) { received->msg.data[0] = 0xC1; received->msg.data_len = 1; return 0; }
    if (is("not measuring")) found[18] = 0;
    if (received->msg.data_len < sizeof found || received->addr_len < sizeof(struct ipmi_addr)) return fault(EMSGSIZE);
    memcpy(received->msg.data, found, sizeof found);
    received->msg.data_len = sizeof found;
    return 0;
}

int ioctl(int device, unsigned long call, ...) {
    va_list rest;
    va_start(rest, call);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if ((unsigned)call == (unsigned)IPMICTL_SEND_COMMAND) return take(device, argument);
    if ((unsigned)call == (unsigned)IPMICTL_RECEIVE_MSG_TRUNC) return answer(device, argument);
    int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    return next(device, call, argument);
}
