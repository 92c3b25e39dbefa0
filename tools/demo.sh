#!/usr/bin/env bash
# Deploys the sample guestbook on the local target, proves that it works, and leaves it running.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
begun=$SECONDS

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

home="${AUTODEPLOY_HOME:-$HOME/.autodeploy}"
repository="$home/demo/guestbook"  # stays, so that it can be changed and deployed again
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -d "$repository/.git" ]; then
  mkdir -p "$repository"
  cp -r tests/fixtures/sample_repos/flask-postgres/. "$repository"
  rm -f "$repository"/{techstack,plan}.json
  git -C "$repository" init -q -b main
  git -C "$repository" add -A
  git -C "$repository" -c user.name=demo -c user.email=demo@localhost commit -q -m "A guestbook"
fi

say "autodeploy deploy file://$repository \"a guestbook with a database\" --target local --yes"
autodeploy deploy "file://$repository" "a guestbook with a database" --target local --name guestbook --yes --json > "$work/result.json"
read -r id url < <(python -c 'import json,sys; r=json.load(open(sys.argv[1])); print(r["deployment_id"], r["url"])' "$work/result.json")
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
for _ in $(seq 20); do curl -s --fail --cacert "$ca" -o "$work/page" "$url/" && break; sleep 0.5; done
grep -F "$row" "$work/page"

say "It runs."
autodeploy status "$id"
printf '\n  URL      %s\n  CA       %s (curl --cacert; a browser must be told to trust it)\n' "$url" "$ca"
printf '  change   edit and commit in %s, then: .venv/bin/autodeploy deploy file://%s\n' "$repository" "$repository"
printf '  destroy  .venv/bin/autodeploy destroy guestbook --yes\n  time     %s s, set-up not counted\n' "$((SECONDS - begun))"
