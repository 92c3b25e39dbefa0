# Process 1 of a builder's container, as root: unpacks the source from standard input, runs each step as
# a user without rights, and writes the archive to standard output. What it says of itself begins with $MARK,
# which the steps cannot read. Arguments: title and command of each step, in turn.
set -eu
umask 022
exec 3>&1 1>&2

tell() { printf '\n%s %s\n' "$MARK" "$*"; }
as_builder() {
  env -i PATH="/app/runtime/bin:/app/venv/bin:$PATH" HOME=/home/build LANG=C.UTF-8 SOURCE_DATE_EPOCH="$EPOCH" \
    PYTHONPYCACHEPREFIX=/tmp/pycache PIP_NO_COMPILE=1 PIP_CACHE_DIR=/cache/pip PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
    NPM_CONFIG_CACHE=/cache/npm GOMODCACHE=/cache/go/mod GOCACHE=/cache/go/build \
    setpriv --reuid=10001 --regid=10001 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
}

# Clouds answer with the machine's own credentials at these addresses.
for address in 169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200; do
  ip route replace blackhole "$address" || { tell unsafe; exit 1; }
done
ip -6 route replace blackhole fd00:ec2::254 2>/dev/null || true

mkdir -p /app /home/build /cache/pip /cache/npm /cache/go /cache/layers /var/tmp/archive
chmod 0700 /cache/layers /var/tmp/archive
chown 10001:10001 /app /home/build /cache/pip /cache/npm /cache/go
as_builder tar -x -C / -f -

done_before=0
layer="/cache/layers/$LAYER.tar.zst"
if [ -n "$LAYER" ] && [ -f "$layer" ]; then
  as_builder tar -x -I 'zstd -q' -C /app -f - <"$layer"
  touch "$layer"
  done_before=$LAYER_STEPS
  tell reused
fi

number=0
while [ $# -gt 0 ]; do
  number=$((number + 1))
  if [ "$number" -gt "$done_before" ]; then
    tell step "$number"
    code=0
    as_builder sh -ec ". /home/build/environment; cd /app/src
$2" </dev/null || code=$?
    if [ "$code" -ne 0 ]; then
      tell failed "$number" "$code"
      exit 1
    fi
  fi
  if [ -n "$LAYER" ] && [ "$number" = "$LAYER_STEPS" ] && [ "$done_before" = 0 ]; then
    tar -c -I 'zstd -q -1 -T0' -C /app --exclude=./src --exclude=__pycache__ -f "$layer.new" .
    mv "$layer.new" "$layer"
    ls -t /cache/layers/*.tar.zst | tail -n +4 | xargs -r rm -f
  fi
  shift 2
done

# Nothing of the build may go on changing what is being packed.
as_builder sh -c 'kill -9 -1' || true

for part in $KEEP; do
  [ -e "/app/$part" ] || { tell missing "$part"; exit 1; }
done
printf '%s\n' "$EXCLUDE" >/var/tmp/exclude
tell packing
tar -c -C /app --format=gnu --sort=name --mtime="@$EPOCH" --owner=0 --group=0 --numeric-owner \
  --exclude-from=/var/tmp/exclude -I 'zstd -q -3 -T0' -f /var/tmp/archive/archive.tar.zst $KEEP
tell archive "$(sha256sum </var/tmp/archive/archive.tar.zst | cut -d' ' -f1)" "$(stat -c %s /var/tmp/archive/archive.tar.zst)"
cat /var/tmp/archive/archive.tar.zst >&3
