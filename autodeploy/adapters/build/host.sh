# Process 1 of a build on the operator's machine, in mount and process namespaces of its own: makes a root that shows
# programs and settings, read-only, and the build's own folders, and goes on in it. No home, no /run, no other process.
# Arguments: the build's folder, the cache's, then the command that goes on.
set -eu
work=$1 cache=$2 root=$1/root
shift 2
mkdir -p "$root" "$work/app" "$work/home" "$work/tmp" "$work/vartmp" "$cache"
mount --make-rprivate /
mount -t tmpfs -o mode=0755,size=1m tmpfs "$root"
for name in usr etc bin sbin lib lib32 lib64 libx32; do
  [ -e "/$name" ] || continue
  if [ -L "/$name" ]; then
    ln -s "$(readlink "/$name")" "$root/$name"
  else
    mkdir "$root/$name"
    mount --rbind "/$name" "$root/$name"
    mount -o remount,bind,ro "$root/$name" 2>/dev/null || true
  fi
done
mkdir -p "$root/proc" "$root/dev" "$root/app" "$root/cache" "$root/home/build" "$root/tmp" "$root/var/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$work/app" "$root/app"
mount --bind "$cache" "$root/cache"
mount --bind "$work/home" "$root/home/build"
mount --bind "$work/tmp" "$root/tmp"
mount --bind "$work/vartmp" "$root/var/tmp"
chmod 1777 "$root/tmp" "$root/var/tmp"
if [ -L /etc/resolv.conf ]; then
  mkdir -p "$root$(dirname "$(readlink -f /etc/resolv.conf)")"
  cp /etc/resolv.conf "$root$(readlink -f /etc/resolv.conf)"
fi
exec chroot "$root" "$@"
