#!/bin/sh
# Puts the station into the root folder of an image, as a builder of images calls it (mmdebstrap, debos, do_install of Yocto):
#
#   deploy/image.sh ROOT [WHEEL [OPTION OF PIP]...]
#
# What the declared hardware needs beyond the core are extras, as for pip: statecharge-0.1.0-py3-none-any.whl[modbus,gpio].
# Without WHEEL only the service, its user, its rules and the example of a declaration: the image has the packages from
# elsewhere. For another architecture than this one's, let pip choose: --platform manylinux2014_aarch64
# --only-binary=:all: --python-version 3.11
# PYTHON: the interpreter that compiles; of the image's version, or every start compiles anew what nobody can write.
set -eu
root=${1:?the root folder of the image}
shift
from=$(dirname "$0")

install -D -m 644 "$from/statecharge.service" "$root/usr/lib/systemd/system/statecharge.service"
install -D -m 644 "$from/statecharge.sysusers" "$root/usr/lib/sysusers.d/statecharge.conf"
install -D -m 644 "$from/70-statecharge.rules" "$root/usr/lib/udev/rules.d/70-statecharge.rules"
# What stands there is somebody's own.
[ -e "$root/etc/statecharge/station.toml" ] ||
    install -D -m 644 "$from/station.toml" "$root/etc/statecharge/station.toml"
install -d "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /usr/lib/systemd/system/statecharge.service \
    "$root/etc/systemd/system/multi-user.target.wants/statecharge.service"

[ $# -gt 0 ] || exit 0
"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --no-compile \
    --target "$root/opt/statecharge/lib" "$@"
# By content, not by times: an image may set those to one of its own. What cannot be compiled is told, and no reason to stop:
# packages bring files that nobody imports.
"${PYTHON:-python3}" -m compileall -q --invalidation-mode unchecked-hash "$root/opt/statecharge/lib" || :
install -d "$root/opt/statecharge/bin"
cat > "$root/opt/statecharge/bin/statecharge" << 'END'
#!/bin/sh
PYTHONPATH=/opt/statecharge/lib exec python3 -m engine.cli "$@"
END
chmod 755 "$root/opt/statecharge/bin/statecharge"
