#!/bin/sh
# Runs inside the image build: one Python, and nothing that helps an intruder.
# Usage: strip.sh VERSION (such as 3.13)
set -eu
version=$1
python=$(command -v "python$version")
ln -sf "$python" /usr/local/bin/sandbox-python
# installers and package managers
rm -rf /usr/lib/python3*/dist-packages/pip* /usr/lib/python3/dist-packages/setuptools* \
       "/usr/local/lib/python$version/site-packages"/* /usr/lib/python$version/ensurepip \
       /usr/local/lib/python$version/ensurepip /usr/local/bin/pip* /usr/local/bin/wheel \
       /usr/share/python-wheels /usr/lib/python$version/test /usr/local/lib/python$version/test
rm -rf /var/lib/apt /var/lib/dpkg /var/cache/* /var/log/* /etc/apt /usr/lib/apt \
       /usr/share/doc /usr/share/man /usr/share/locale /usr/share/perl* /usr/lib/*/perl*
for name in apt apt-get apt-cache apt-key apt-mark apt-config apt-cdrom dpkg dpkg-deb dpkg-query \
            dpkg-split dpkg-divert dpkg-statoverride dpkg-trigger perl su mount umount \
            passwd chsh chfn chage expiry newgrp gpasswd wall nsenter unshare chroot setpriv \
            curl wget git gcc cc make; do
    rm -f "/usr/bin/$name" "/usr/sbin/$name" "/bin/$name" "/sbin/$name"
done
rm -f /usr/bin/perl5*
# no set-user-id and set-group-id file is left
find / -xdev -perm /6000 -type f -exec chmod a-s {} +
# a name and a home for the user ids of candidates (grader/sandbox/hardening.py): one a slot
for id in $(seq 61001 62024); do
    echo "sandbox:x:$id:$id:sandbox:/tmp:/usr/sbin/nologin" >> /etc/passwd
    echo "sandbox:x:$id:" >> /etc/group
done
mkdir -p -m 1777 /submission /suite
chmod 1777 /tmp /submission /suite
# an engine that mounts over this folder by itself gives the mount its mode
chmod 755 /var/tmp
