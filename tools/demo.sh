#!/usr/bin/env bash
# Deploys the sample guestbook on the local target, proves that it works, and leaves it running.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
begun=$SECONDS

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r tests/fixtures/sample_repos/flask-postgres "$work/guestbook"
rm -f "$work"/guestbook/{techstack,plan}.json
git -C "$work/guestbook" init -q -b main
git -C "$work/guestbook" add -A
git -C "$work/guestbook" -c user.name=demo -c user.email=demo@localhost commit -q -m "A guestbook"

say "autodeploy deploy file://…/guestbook \"a guestbook with a database\" --target local --yes"
autodeploy deploy "file://$work/guestbook" "a guestbook with a database" --target local --name guestbook --yes --json > "$work/result.json"
read -r id url < <(python -c 'import json,sys; r=json.load(open(sys.argv[1])); print(r["deployment_id"], r["url"])' "$work/result.json")
home="${AUTODEPLOY_HOME:-$HOME/.autodeploy}"
ca="$home/deployments/$id/ca.pem"

say "curl --cacert $ca -i $url/"
curl -sS --fail --cacert "$ca" -D "$work/headers" -o "$work/page" "$url/"
grep -iE '^(HTTP|x-autodeploy-release)' "$work/headers"
grep -qi '^x-autodeploy-release' "$work/headers"

say "A row written through the application, read back from PostgreSQL after its service restarts"
row="signed at $(date +%s)"
curl -sS --fail --cacert "$ca" -o /dev/null --data-urlencode "name=demo" --data-urlencode "message=$row" "$url/"
read -r address key < <(autodeploy status "$id" --json | python -c 'import json,sys; i=json.load(sys.stdin)["infrastructure"]; print(i["ec2_public_ip"], i["ssh_private_key_path"])')
ssh -i "$key" -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR "ubuntu@$address" sudo systemctl restart app
curl -sS --fail --cacert "$ca" --retry 10 --retry-delay 1 --retry-all-errors "$url/" | grep -F "$row"

say "It runs."
autodeploy status "$id"
printf '\n  URL      %s\n  CA       %s\n  destroy  autodeploy destroy %s --yes   (in .venv/bin)\n  time     %s s\n' "$url" "$ca" "$id" "$((SECONDS - begun))"
