# Process 1 of a builder, as root of its container: unpacks the source from standard input, runs each step as a user
# without rights, packs what is kept, runs the tests, and writes the archive to standard output. What it says of itself
# begins with $MARK, which the steps cannot read. Arguments: title and command of each step, in turn; those beyond
# $STEPS are tests. pack.sh comes before it. $PLACE is `container`, or `host`, whose walls are its own; without $DROP
# there is but one user.
set -eu
umask 022
exec 3>&1 1>&2

tell() { printf '\n%s %s\n' "$MARK" "$*"; }
as_builder() {
  if [ -n "$DROP" ]; then
    set -- setpriv --reuid=10001 --regid=10001 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
  fi
  env -i PATH="/app/runtime/bin:/app/venv/bin:$PATH" HOME=/home/build LANG=C.UTF-8 SOURCE_DATE_EPOCH="$EPOCH" \
    PYTHONPYCACHEPREFIX=/tmp/pycache PIP_NO_COMPILE=1 PIP_CACHE_DIR=/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off CFLAGS=-g0 CXXFLAGS=-g0 \
    NPM_CONFIG_CACHE=/cache/npm GOMODCACHE=/cache/go/mod GOCACHE=/cache/go/build "$@"
}
run() {
  code=0
  as_builder sh -ec ". /home/build/environment; cd /app/src
$2" </dev/null || code=$?
  [ "$code" = 0 ] || { tell failed "$1" "$code"; exit 1; }
}

if [ "$PLACE" = container ]; then
  # Clouds answer with the machine's own credentials at these addresses.
  for address in 169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200; do
    ip route replace blackhole "$address" || { tell unsafe; exit 1; }
  done
  if [ -n "$(cat /proc/net/if_inet6 2>/dev/null)" ]; then
    for address in fd00:ec2::254 fd00:ec2::23 64:ff9b::169.254.169.254; do
      ip -6 route replace blackhole "$address" || { tell unsafe; exit 1; }
    done
  fi
fi

mkdir -p /app /home/build /cache/pip /cache/npm /cache/go /cache/layers /var/tmp/archive
chmod 0700 /cache/layers /var/tmp/archive
[ -z "$DROP" ] || chown 10001:10001 /app /home/build /cache/pip /cache/npm /cache/go
as_builder tar -x -C / -f -
[ $# -eq $((STEPS * 2)) ] || as_builder cp -a /app/src /home/build/source

done_before=0
layer="/cache/layers/$LAYER.tar.zst"
if [ -n "$LAYER" ] && [ -f "$layer" ]; then
  as_builder tar -x -I 'zstd -q' -C /app -f - <"$layer"
  touch -c "$layer"
  done_before=$LAYER_STEPS
  tell reused
fi

number=0
while [ "$number" -lt "$STEPS" ]; do
  number=$((number + 1))
  if [ "$number" -gt "$done_before" ]; then
    tell step "$number"
    run "$number" "$2"
  fi
  if [ -n "$LAYER" ] && [ "$number" = "$LAYER_STEPS" ] && [ "$done_before" = 0 ]; then
    new="$layer.$(head -c 8 /proc/sys/kernel/random/uuid)"
    tar -c -I 'zstd -q -1 -T4' -C /app --exclude=./src --exclude=__pycache__ -f "$new" .
    mv "$new" "$layer"
    ls -t /cache/layers/* | tail -n +4 | xargs -r rm -f
  fi
  shift 2
done

# Nothing of the build may go on changing what is being packed.
[ -z "$DROP" ] || as_builder sh -c 'kill -9 -1' || true

for part in $KEEP; do
  [ -e "/app/$part" ] || { tell missing "$part"; exit 1; }
done
printf '%s\n' "$EXCLUDE" >/var/tmp/exclude
tell packing
archive=/var/tmp/archive/archive.tar.zst
pack /app "$archive" /var/tmp/exclude 2>/var/tmp/totals || { cat /var/tmp/totals; exit 1; }
unpacked=$(sed -n 's/^Total bytes written: \([0-9]*\).*/\1/p' /var/tmp/totals)

# What is packed already, no test changes any more.
if [ $# -gt 0 ]; then
  rm -rf /app/src
  as_builder mv /home/build/source /app/src
fi
while [ $# -gt 0 ]; do
  number=$((number + 1))
  tell step "$number"
  run "$number" "$2"
  shift 2
done

tell archive "$(sha256sum <"$archive" | cut -d' ' -f1)" "$(stat -c %s "$archive")" "$unpacked"
cat "$archive" >&3
