# Part of build.sh: `pack ROOT ARCHIVE EXCLUDED` writes what $KEEP names below ROOT, less the patterns in the file
# EXCLUDED, to ARCHIVE: in order of names, at one time, of no owner, with no rights to be somebody else. Its last word
# on the error stream is the size.
pack() {
  LC_ALL=C tar -c -C "$1" --format=gnu --sort=name --mtime="@$EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode=u-s,g-s --totals --exclude-from="$3" -I 'zstd -q -3 -T4' -f "$2" $KEEP
}
