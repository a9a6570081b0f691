#!/usr/bin/env python3
"""Differential (parity) test of two Falco plugins over the same JSON-lines CloudTrail records.

  parity.py --ref libcloudtrail.so --new libtfdrift.so [--fields all-ref] EVENTS.jsonl...
  parity.py ... --golden FILE         compare the new plugin with a golden file instead of --ref
  parity.py ... --write-golden FILE   only run --ref and write its answers (one JSON line a record)
  --allow allow.tsv --mode normal     accepted differences (still counted): MODE, FIELD, RECORDS by number, REASON in columns,
                                      as in crates/cloudtrail/tests/parity/allow.tsv; modes: normal, strict

Every field is extracted one per call (as libsinsp does); a golden line is
{"in": <record line>, "string": ..., "fields": {name: value}}   (absent fields are left out; {"error": msg} on failure).
--order-free runs every field in its own process so that the Go plugin's parse-state effects don't show (ct.request after ct.request.policy).
Exit 1 on a difference that is not allowed.
"""
import argparse, collections, json, os, subprocess, sys
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
A = ap.add_argument
A('events', nargs='+'); A('--host', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), 'falcohost')); A('--ref'); A('--new'); A('--golden'); A('--write-golden'); A('--allow'); A('--mode', default='normal')
A('--ref-config', default='{"useAsync":false}'); A('--new-config', default='{}'); A('--fields'); A('--max', type=int, default=20); A('--no-string', action='store_true'); A('--order-free', action='store_true')
a = ap.parse_args()
def names(so):
    d = json.loads(subprocess.run([a.host, '--plugin', so, '--info'], check=True, capture_output=True, text=True).stdout)
    return [(f['name'], f['type'], f.get('isList', False), f.get('arg', {})) for f in d['fields']]
def run(so, cfg, fields, path):
    def once(fs, string):
        c = [a.host, '--plugin', so, '--config', cfg, '--events', path, '--print', '--no-meta', '--quiet', '--fields', ','.join(fs), '--summary', '/dev/null'] + (['--string'] if string else [])
        p = subprocess.run(c, capture_output=True)
        if p.returncode not in (0, 1): sys.exit(f'{so}: host exit {p.returncode}: {p.stderr.decode(errors="replace")[-500:]}')
        return [json.loads(l, strict=False) for l in p.stdout.decode('utf-8', 'replace').split('\n') if l]
    if not a.order_free: return once(fields, not a.no_string)
    out = once(fields[:1], not a.no_string)
    for f in fields[1:]:
        for o, n in zip(out, once([f], False)): o['fields'].update(n['fields'])
    return out
base = a.ref or a.new
names_of_golden = lambda path: sorted({f for l in open(path) for f in json.loads(l, strict=False)['fields']})
fields = a.fields.split(',') if a.fields else names_of_golden(a.golden) if a.golden else [n for n, t, l, g in names(base) if not (g or {}).get('isRequired')] + ['ec2.imageids[0]', 'ec2.imageids[1]', 'ec2.imageids[9]']
def allow_list(path):
    found = set()
    for line in open(path, encoding='utf-8'):
        if line.startswith('#') or not line.strip(): continue
        mode, field, records, _reason = line.rstrip('\n').split('\t')
        if mode not in (a.mode, 'both'): continue
        for span in records.split(','):
            first, _, last = span.partition('-')
            found |= {(field, n) for n in range(int(first), int(last or first) + 1)}
    return found
allow = allow_list(a.allow) if a.allow else set()
lines, ref, new = [], [], []
for p in a.events:
    lines += [l for l in open(p, encoding='utf-8', errors='surrogateescape').read().split('\n') if l]
    if a.ref: ref += run(a.ref, a.ref_config, fields, p)
    if a.new: new += run(a.new, a.new_config, fields, p)
if a.write_golden:
    with open(a.write_golden, 'w', encoding='utf-8', errors='surrogateescape') as f:
        for l, r in zip(lines, ref): f.write(json.dumps({'in': l, **r}, ensure_ascii=False) + '\n')
    print(f'{len(ref)} records, {len(fields)} fields -> {a.write_golden}'); sys.exit(0)
if a.golden: ref = [json.loads(l, strict=False) for l in open(a.golden)]
if len(ref) != len(new): sys.exit(f'record counts differ: ref {len(ref)} new {len(new)}')
bad = collections.Counter(); ok = 0; allowed = collections.Counter(); shown = 0
def rid(line):
    try: return json.loads(line).get('eventID', '?')
    except Exception: return line[:30]
MISS = object()
for i, (r, n) in enumerate(zip(ref, new)):
    pairs = [(f, r['fields'].get(f, MISS), n['fields'].get(f, MISS)) for f in fields]
    if not a.no_string: pairs.append(('<to_string>', r.get('string', MISS), n.get('string', MISS)))
    for f, x, y in pairs:
        if isinstance(x, dict) and (y is MISS or isinstance(y, dict)): x = y = 'failure'  # where the Go plugin fails, ours has no value; messages may differ
        if x == y and (x is MISS) == (y is MISS): ok += 1; continue
        k = rid(lines[i])
        if (f, i) in allow or ('*', i) in allow: allowed[f] += 1; continue
        bad[f] += 1
        if shown < a.max: shown += 1; print(f'DIFF record {i} ({k}) {f}: ref={"<absent>" if x is MISS else json.dumps(x, ensure_ascii=False)[:160]} new={"<absent>" if y is MISS else json.dumps(y, ensure_ascii=False)[:160]}')
print(json.dumps({'records': len(ref), 'fields': len(fields), 'equal': ok, 'different': sum(bad.values()), 'allowed': sum(allowed.values()), 'by_field': dict(bad), 'allowed_by_field': dict(allowed)}))
sys.exit(1 if bad else 0)
