#!/usr/bin/env python3
"""The rules in rules/, run in a real libsinsp over examples/seed and over a record or two for every rule.

  check.py [--bless] LIB.so...     from tests/rules_in_libsinsp.sh, which builds and finds what this needs

For every library:
  seed      the alerts over examples/seed are exactly those of golden/: one an event, as Falco gives them by default;
            seed.jsonl with the rules on managed resources alone, seed_both.jsonl with those on the account as well
            (--bless writes them anew from the first library; look at the difference before it is committed)
  records   records/*.json: {"rule", "fires": [records], "silent": [records]}; every rule of every file has one, fires on
            each of the first and on none of the second
  local     what a user overrides in a file of his own does what the head of the rules file says
"""
import collections, glob, json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HOST = os.path.join(ROOT, "tests/real-host/real-host.sh")
FILES = ["rules/tfdrift_rules.yaml", "rules/aws_cloudtrail_rules.yaml"]
STATES = ["examples/seed/terraform.tfstate"]
# a state with an IAM user, for what no plan shows
MORE_STATES = ["tests/truth/cases/w2-user-access-key/state.json"]
failed = 0


def report(ok, title, detail=""):
    global failed
    failed += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {title}" + (f"\n     {detail[:1500]}" if not ok and detail else ""))


def host(lib, events, *more, states=STATES, files=FILES, drift=None):
    """Alerts and the summary line; more: further arguments. Exits loudly when the host does not run to the end."""
    init = json.dumps({"log_level": "warn", "source": {"checkpoint_dir": ""}, "state": {"places": [{"file": f} for f in states]}, **({"drift": drift} if drift else {})})
    args = [HOST, "sinsp-host", "--plugin", lib, "--init", init, "--open", events, "--max-seconds", "60"]
    for f in files:
        args += ["--rules", f]
    p = subprocess.run(args + list(more), cwd=ROOT, capture_output=True, text=True)
    lines = [json.loads(line) for line in p.stdout.splitlines()]
    if p.returncode or not lines or lines[-1].get("end") != "eof":
        sys.exit(f"{lib}: the host ended with {p.returncode}: {p.stdout[-2000:]}\n{p.stderr[-2000:]}")
    return lines[:-1], lines[-1]


def rule_names():
    """Names and whether they are switched on, without a YAML library: the files keep to one form."""
    out = {}
    for path in FILES:
        name = None
        for line in open(os.path.join(ROOT, path)):
            if line.startswith("- rule: "):
                name = line[len("- rule: "):].strip()
                out[name] = True
            elif line.startswith("  enabled: false"):
                out[name] = False
    return out


def temporary(text, suffix, kept=[]):
    kept.append(tempfile.NamedTemporaryFile("w", suffix=suffix))
    kept[-1].write(text)
    kept[-1].flush()
    return kept[-1].name


def local(text):
    return ["--rules", temporary(text, ".yaml")]


def lines_of(records):
    return temporary("".join(json.dumps(r, separators=(",", ":")) + "\n" for r in records), ".jsonl")


def seed(lib, bless):
    for name, files in (("seed", FILES[:1]), ("seed_both", FILES)):
        golden(lib, bless, os.path.join(HERE, f"golden/{name}.jsonl"), files)
    alerts, _ = host(lib, "examples/seed", files=FILES[:1])
    opened = [a for a in alerts if a["rule"] == "Terraform resource drifted" and "aws_security_group.web ingress: + tcp/22 from 0.0.0.0/0" in a["output"]]
    report(len(opened) == 1, f"{lib}: opening tcp/22 by hand fires 'Terraform resource drifted', once", f"fired {len(opened)} times")
    terraform = [a for a in alerts if a["fields"].get("tf.actor") == "github-actions"]
    report(not terraform, f"{lib}: Terraform's own apply is silent", str(terraform)[:500])


def golden(lib, bless, path, files):
    alerts, end = host(lib, "examples/seed", "--rule-matching", "first", files=files)
    text = "".join(json.dumps(a, sort_keys=True, ensure_ascii=False) + "\n" for a in alerts)
    if bless:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(text)
    got, want = text.splitlines(), open(path).read().splitlines()
    differ = [i for i in range(max(len(got), len(want))) if got[i : i + 1] != want[i : i + 1]]
    title = f"{lib}: {len(alerts)} alerts over the {end['events']} events of examples/seed, as in {os.path.basename(path)}"
    report(not differ, title, "".join(f"line {i + 1}\n     got  {''.join(got[i : i + 1])}\n     want {''.join(want[i : i + 1])}\n     " for i in differ[:1]))


# Switched on for the test: what is off by default, and the regions.
def everything_on(names):
    off = "".join(f"- rule: {n}\n  enabled: true\n  override: {{enabled: replace}}\n" for n, on in names.items() if not on)
    return local(off + "- list: ct_approved_regions\n  items: [us-east-1, eu-west-1]\n- macro: ct_regions_are_restricted\n  condition: (ct.region exists)\n")


def records(lib):
    names, wants, all_records = rule_names(), {}, []
    for path in sorted(glob.glob(os.path.join(HERE, "records/*.json"))):
        case = json.load(open(path))
        if case["rule"] not in names or case["rule"] in wants:
            report(False, f"{os.path.basename(path)}: rule '{case['rule']}' is " + ("there twice" if case["rule"] in wants else "in no file"))
            continue
        wants[case["rule"]] = case
        all_records += case["fires"] + case["silent"]
    # "AWS API call" matches every record, so it has none that it is silent on
    missing = [n for n in names if n not in wants or not wants[n]["fires"] or not (wants[n]["silent"] or n == "AWS API call")]
    report(not missing, "every rule has records that fire it and records that do not", ", ".join(missing))
    ids = [r["eventID"] for r in all_records]
    if len(set(ids)) != len(ids):
        sys.exit("two records have the same eventID")
    alerts, end = host(lib, lines_of(all_records), *everything_on(names), states=STATES + MORE_STATES)
    report(end["events"] == len(all_records), f"{lib}: {len(all_records)} records are as many events", f"{end['events']}")
    fired = {}
    for a in alerts:
        fired.setdefault(a["fields"]["ct.id"], set()).add(a["rule"])
    for name, case in wants.items():
        wrong = [f"does not fire on {r['eventName']} {r['eventID']}" for r in case["fires"] if name not in fired.get(r["eventID"], ())]
        wrong += [f"fires on {r['eventName']} {r['eventID']}" for r in case["silent"] if name in fired.get(r["eventID"], ())]
        report(not wrong, f"{lib}: {name}", "; ".join(wrong))


def fired(answer):
    """How often each rule fired, those that did not left out."""
    return collections.Counter({name: n for name, n in answer[1]["hits"].items() if n})


def overrides(lib):
    def hits(text, *more):
        return fired(host(lib, "examples/seed", "--quiet", "--rule-matching", "first", *local(text), *more))

    def drifted(h):
        return sum(n for name, n in h.items() if name.startswith("Terraform resource drifted"))

    plain = hits("- list: ct_trusted_actors\n  items: []\n")
    group = hits("- list: tfdrift_ignored_addresses\n  items: [aws_security_group.web]\n")
    report(drifted(group) == drifted(plain) - 1, f"{lib}: an ignored address gives no alert", f"{drifted(plain)} before, {drifted(group)} after")
    actor = hits("- list: tfdrift_ignored_actors\n  items: [bob]\n  override: {items: append}\n")
    report(drifted(actor) < drifted(plain), f"{lib}: an ignored actor gives no alert", f"{drifted(plain)} before, {drifted(actor)} after")
    # the state's file is newer than every event of the seed
    late = hits("- macro: tfdrift_reconciled_is_excluded\n  condition: (tf.reconciled = true)\n")
    report(drifted(plain) > 0 and drifted(late) == 0, f"{lib}: reconciled events can be left out", f"{drifted(plain)} before, {drifted(late)} after")
    one = hits("- rule: Terraform resource drifted\n  exceptions:\n  - name: address_actor\n    values: [[aws_security_group.web, alice]]\n  override: {exceptions: append}\n")
    report(one["Terraform resource drifted"] == plain["Terraform resource drifted"] - 1, f"{lib}: an exception lets one through", f"{plain} {one}")
    own = "Security group opened to the world" # Terraform opens tcp/80 itself
    role = {"roles": ["arn:aws:iam::111122223333:role/terraform-ci"]}
    trusted = "- macro: ct_made_by_terraform\n  condition: (tf.expected = true)\n"
    once, not_ours = hits(trusted), {"roles": ["arn:aws:iam::111122223333:role/somebody-else"]}
    report(plain[own] == 1 and once[own] == 0, f"{lib}: Terraform's own calls can be left out of the account's rules", f"{plain[own]} before, {once[own]} after")
    with_role = fired(host(lib, "examples/seed", "--quiet", "--rule-matching", "first", *local(trusted), drift=role))
    report(with_role == once, f"{lib}: the role that Terraform runs as is expected", f"{with_role}")
    forged = fired(host(lib, "examples/seed", "--quiet", "--rule-matching", "first", *local(trusted), drift=not_ours))
    report(forged[own] == 1 or drifted(forged) > drifted(plain), f"{lib}: with roles set, a user agent alone makes nothing expected", f"{forged}")
    deletion = json.load(open(os.path.join(HERE, "records/expected-deletion-of-a-managed-resource.json")))
    known = local("- macro: tfdrift_roles_are_configured\n  condition: (evt.num >= 0)\n")
    answers = [fired(host(lib, lines_of(deletion["fires"]), "--quiet", *more, files=FILES[:1])) for more in ([], known)]
    report(answers[0][deletion["rule"]] == 1 and not answers[1], f"{lib}: with roles set, expected deletions can be silent", f"{answers}")
    off = hits("- rule: Terraform resource drifted\n  enabled: false\n  override: {enabled: replace}\n")
    report("Terraform resource drifted" not in off, f"{lib}: a rule can be switched off")


def main():
    bless = "--bless" in sys.argv
    for i, lib in enumerate(a for a in sys.argv[1:] if a != "--bless"):
        seed(lib, bless and i == 0)
        records(lib)
        overrides(lib)
    print(f"{failed} failed")
    sys.exit(1 if failed else 0)


main()
