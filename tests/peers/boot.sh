#!/bin/sh
# Boots a Debian-like system with the station in it: systemd as the first process of namespaces of its own.
#
#   boot.sh IMAGE ROOT HIERARCHY GROUP...
#
# IMAGE is what deploy/image.sh has put together; over it stands /usr of this computer, read only. ROOT is an empty
# folder, HIERARCHY "unified", as Debian 12 has it, or "legacy", GROUPs are the control groups that it shall be in. The
# network and the pseudo-terminals are those of the computer, so that who tests can be Central System and hardware.
# PYTHON_HOME and PACKAGES are bound to /opt/python and /opt/packages; LINES are NAME=PATH of links in /dev;
# NOTIFY_SOCKET is told when it is up. It ends when it is killed, or reboots.
set -eu
image=$1 root=$2 hierarchy=$3
shift 3

if [ $# != 0 ]; then
    # Whatever it puts into control groups is below these.
    for group in "$@"; do echo $$ > "$group/cgroup.procs"; done
    exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc sh "$0" "$image" "$root" "$hierarchy"
fi

mount -t tmpfs -o mode=755 root "$root"
cd "$root"
mkdir usr etc var run tmp dev proc sys opt root home old
for link in bin sbin lib lib64; do ln -s usr/$link $link; done
mount -t overlay -o "lowerdir=$image/usr:/usr" usr usr
cp -r "$image/etc/." etc
cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache etc
: > etc/machine-id
cp -r "$image/opt/." opt
mkdir opt/python opt/packages
mount --bind "$PYTHON_HOME" opt/python
mount --bind "$PACKAGES" opt/packages
chmod 1777 tmp

mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=755 dev dev
mkdir dev/pts dev/shm
mount --bind /dev/pts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs shm dev/shm
while read -r node number mode group; do
    mknod "dev/$node" c ${number%:*} ${number#*:}
    chown "root:$group" "dev/$node"
    chmod "$mode" "dev/$node"
done << END
null 1:3 666 root
zero 1:5 666 root
full 1:7 666 root
random 1:8 666 root
urandom 1:9 666 root
tty 5:0 666 tty
fuse 10:229 666 root
END

for line in $LINES; do ln -s "${line#*=}" "dev/${line%%=*}"; done

mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
if [ "$hierarchy" = unified ]; then
    mount -t cgroup2 cgroup sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
    for of in memory devices pids; do
        mkdir sys/fs/cgroup/$of
        mount -t cgroup -o $of cgroup sys/fs/cgroup/$of
    done
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi

# Of what systemd itself starts, the journal and temporary files only.
system=/usr/lib/systemd/system
for unit in usr/lib/systemd/system/*.target.wants/*; do
    case ${unit##*/} in
        statecharge.service | *journal* | systemd-tmpfiles-setup.service) ;;
        *) ln -sf /dev/null "etc/systemd/system/${unit##*/}" ;;
    esac
done
ln -s $system/multi-user.target etc/systemd/system/default.target

pivot_root . old
cd /
umount -l old
rmdir old
systemd-sysusers
hostname wallbox
exec env -i container=test "NOTIFY_SOCKET=$NOTIFY_SOCKET" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin /lib/systemd/systemd < /dev/null
