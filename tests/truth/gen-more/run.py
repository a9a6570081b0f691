"""Makes more cases, the way ../gen/run.py does: real terraform against moto, one API call by hand, `terraform plan` says what drifted.
  TF_PLUGIN_DIR=FOLDER [WORK=FOLDER] [TPORT=5655] [TFDRIFT_CORPORA=FOLDER] python3 run.py m1_vpc[,m2_ec2] [case-id,...]
TF_PLUGIN_DIR is a terraform filesystem mirror that holds hashicorp/aws 5.100.0. WORK (default ./work) takes the applied worlds.
Needs terraform, and from PyPI: moto[server]==5.2.5, boto3. Everything listens on loopback.
The provider runs once for all cases (`-debug`). Scenarios that say what they can touch (`on`) and share nothing of it stand one plan together;
each drifted attribute must then belong to exactly one of them, else they are planned apart."""
import glob, importlib, json, os, re, shutil, subprocess, sys, time
HERE = os.path.dirname(os.path.abspath(__file__)); TRUTH = os.path.dirname(HERE)
sys.path[:0] = [HERE, TRUTH + '/gen']
MIRROR = os.environ['TF_PLUGIN_DIR']; WORK = os.path.abspath(os.environ.get('WORK', HERE + '/work'))
OUT = os.environ.get('CASES_OUT', TRUTH + '/more/cases')
import boto3, moto
from botocore.config import Config
from ctl import ctl
import ctrail, shapes
PORT = int(os.environ.get('TPORT', '5655')); EP = f'http://127.0.0.1:{PORT}'; SOCK = f'{WORK}/moto{PORT}.sock'
SERV = '''ec2 iam s3 sts kms sqs sns logs cloudwatch events ssm secretsmanager dynamodb lambda rds ecs ecr elbv2 elb autoscaling route53 apigateway apigatewayv2
 cloudfront sfn efs kinesis cloudtrail appautoscaling acm firehose'''.split()
os.makedirs(WORK + '/home', exist_ok=True)
ENV = {**os.environ, 'TF_CLI_CONFIG_FILE': WORK + '/tf.rc', 'CHECKPOINT_DISABLE': '1', 'TF_IN_AUTOMATION': '1', 'AWS_EC2_METADATA_DISABLED': 'true', 'HOME': WORK + '/home', 'GOGC': '400',
       'no_proxy': '127.0.0.1', 'AWS_CONFIG_FILE': '/dev/null', 'AWS_SHARED_CREDENTIALS_FILE': '/dev/null'}
for k in ('AWS_CA_BUNDLE', 'SSL_CERT_FILE', 'HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'): ENV.pop(k, None)
open(WORK + '/tf.rc', 'w').write('provider_installation {\n  filesystem_mirror {\n    path = "%s"\n    include = ["registry.terraform.io/hashicorp/aws"]\n  }\n}\ndisable_checkpoint = true\n' % MIRROR)

_cl = {}
def clients(svc):
    if svc not in _cl:
        _cl[svc] = boto3.client(svc, endpoint_url=EP, region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test',
                                config=Config(retries={'max_attempts': 1}, s3={'addressing_style': 'path'}, parameter_validation=True))
    return _cl[svc]

def tf(d, *a):
    t = time.time()
    r = subprocess.run(['nice', '-n', '10', 'terraform', *a], cwd=d, env=ENV, capture_output=True, text=True, timeout=900)
    if r.returncode:
        raise RuntimeError('terraform %s rc=%d\n%s\n%s' % (' '.join(a), r.returncode, r.stdout[-3000:] if not r.stderr else '', r.stderr[-6000:]))
    return r.stdout, time.time() - t

def provider(d):
    """the provider as one long-lived process in the folder of its world (files named there are relative); terraform attaches to it"""
    exe = glob.glob(MIRROR + '/registry.terraform.io/hashicorp/aws/5.100.0/*/terraform-provider-aws*')[0]
    p = subprocess.Popen(['nice', '-n', '10', exe, '-debug'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENV, cwd=d)
    for line in p.stdout:
        m = re.search(r"TF_REATTACH_PROVIDERS='(.*)'", line)
        if m:
            ENV['TF_REATTACH_PROVIDERS'] = m.group(1)
            break
    return p

class State:
    def __init__(s, path):
        s.m = {}
        for r in json.load(open(path))['resources']:
            for i in r['instances']:
                a = (r.get('module', '') + '.' if r.get('module') else '') + ('data.' if r['mode'] == 'data' else '') + r['type'] + '.' + r['name']
                if i.get('index_key') is not None:
                    a += '[%s]' % json.dumps(i['index_key'])
                s.m[a] = i['attributes']
    def __call__(s, a): return s.m[a]

def changes(lst, drop=()):
    out = {}
    for d in lst:
        c = d['change']
        if c['actions'] in (['no-op'], ['read']): continue
        b, a = c.get('before') or {}, c.get('after') or {}
        e = {'type': d['type'], 'actions': c['actions']}
        if c['actions'] in (['delete'], ['create']): e['id'] = (b or a).get('id')
        else:
            e['id'] = b.get('id'); e['attributes'] = {}
            un = c.get('after_unknown') or {}
            for k in sorted(set(b) | set(a)):
                if b.get(k) != a.get(k) and (d['address'], k) not in drop:
                    e['attributes'][k] = {'before': b.get(k), 'after_unknown': True} if un.get(k) is True else {'before': b.get(k), 'after': a.get(k)}
            if not e['attributes'] and c['actions'] == ['update']: continue
        out[d['address']] = e
    return out

def plan(d, drop=(), both=True):
    ro = None; t = [0, 0]
    if both:
        _, t[0] = tf(d, 'plan', '-refresh-only', '-input=false', '-lock=false', '-no-color', '-out=p.bin')
        j, t[1] = tf(d, 'show', '-json', 'p.bin'); ro = changes(json.loads(j).get('resource_drift', []), drop)
    _, t3 = tf(d, 'plan', '-input=false', '-lock=false', '-no-color', '-out=q.bin')
    k, t4 = tf(d, 'show', '-json', 'q.bin'); k = json.loads(k)
    return changes(k.get('resource_drift', []), drop), changes(k.get('resource_changes', [])), ro, [round(x, 1) for x in (*t, t3, t4)]

def tidy(v):
    """loopback addresses of moto become AWS's, key ids EXAMPLE ones"""
    s = json.dumps(v).replace(EP + '/' + ctrail.ACCOUNT, f'https://sqs.us-east-1.amazonaws.com/{ctrail.ACCOUNT}')
    return json.loads(shapes.example_keys(s))

def pattern(p):
    """'ADDRESS' or 'ADDRESS::attribute,attribute'; an address may end in *"""
    addr, _, attrs = p.partition('::')
    return addr, frozenset(attrs.split(',')) if attrs else None

def covers(p, addr, attr):
    a, attrs = pattern(p)
    return (addr == a or a.endswith('*') and addr.startswith(a[:-1])) and (attrs is None or attr in attrs)

def overlap(p, q):
    (a, x), (b, y) = pattern(p), pattern(q)
    same = a == b or a.endswith('*') and b.startswith(a[:-1]) or b.endswith('*') and a.startswith(b[:-1])
    return same and (x is None or y is None or bool(x & y))

def groups(cases):
    """cases that say what they can touch (`on`) and share nothing of it stand one plan together; the others go alone"""
    out = []
    for c in cases:
        for g in out if c.get('on') else ():
            if g[0].get('on') and not any(overlap(p, q) for x in g for p in x['on'] for q in c['on']):
                g.append(c); break
        else: out.append([c])
    return out

def share(c, changed, alone):
    """the part of a plan's changes that is this case's"""
    if alone: return changed
    out = {}
    for a, e in changed.items():
        if 'attributes' not in e:
            if any(covers(p, a, None) for p in c['on'] if pattern(p)[1] is None): out[a] = e
        else:
            at = {k: v for k, v in e['attributes'].items() if any(covers(p, a, k) for p in c['on'])}
            if at or (not e['attributes'] and any(covers(p, a, None) for p in c['on'])): out[a] = {**e, 'attributes': at}
    return out

def group(name, d, S, drop, noisy, g):
    ids = [name.split('_')[0] + '-' + c['id'] for c in g]; t0 = time.time(); ctl(SOCK, 'fork'); trails = []; bad = None
    try:
        for c, cid in zip(g, ids):
            T = ctrail.Trail(cid, clients); T.allow_errors = c.get('allow_errors', False); trails.append(T)
            try: c['fn'](T, S)
            except Exception as e:
                print('FAIL', cid, str(e)[:600].replace('\n', ' | '), flush=True); bad = c; break
        if bad is None:
            try: dr, ch, ro, tm = plan(d, drop, both=bool(os.environ.get('BOTH')))
            except Exception as e:
                print('FAIL plan', ids, str(e)[:1500].replace('\n', ' | '), flush=True)
                bad = g[0] if len(g) == 1 else 'plan'
    finally: ctl(SOCK, 'end')
    if bad is not None:
        if bad == 'plan': halves(name, d, S, drop, noisy, g)
        elif len(g) > 1: group(name, d, S, drop, noisy, [c for c in g if c is not bad])
        return
    ch = {a: e for a, e in ch.items() if a not in noisy or a in dr}
    alone = len(g) == 1
    redo = []
    if not alone:
        for a, e in dr.items():
            for k in e['attributes'] if 'attributes' in e else [None]:
                if sum(any(covers(p, a, k) and (k is not None or pattern(p)[1] is None) for p in c['on']) for c in g) == 1: continue
                near = [c for c in g if any(overlap(p, a) for p in c['on'])]
                print('NOT ONE OWNER', a, k, 'near', [c['id'] for c in near], flush=True)
                if len(near) == 1: near[0]['on'] = near[0]['on'] + [a + ('::' + k if k else '')]
                elif near: redo += [c for c in near if c not in redo]
                else: halves(name, d, S, drop, noisy, g); return
    print('# %d cases, one plan, %.1fs' % (len(g), time.time() - t0), tm, flush=True)
    for c, cid, T in zip(g, ids, trails):
        if c in redo: continue
        mine = share(c, dr, alone)
        write(name, d, drop, c, cid, T, mine, {a: e for a, e in share(c, ch, alone).items() if a not in noisy or a in mine}, ro, [x for x in ids if x != cid], tm)
    for c in redo: group(name, d, S, drop, noisy, [c])

def halves(name, d, S, drop, noisy, g):
    group(name, d, S, drop, noisy, g[:len(g) // 2]); group(name, d, S, drop, noisy, g[len(g) // 2:])

def configuration(W, d):
    """The configuration of a world where it decides (`CONFIGURATION`): its blocks, and default_tags without moto's endpoints."""
    if not getattr(W, 'CONFIGURATION', False): return None
    pairs = ', '.join(f'{k} = "{v}"' for k, v in W.DEFAULT_TAGS.items())
    return open(d + '/main.tf').read() + '\nprovider "aws" {\n  default_tags {\n    tags = { %s }\n  }\n}\n' % pairs

def write(name, d, drop, c, cid, T, dr, ch, ro, others, tm):
    out = f'{OUT}/{cid}'; os.makedirs(out, exist_ok=True)
    tf_text = configuration(sys.modules['scen_' + name], d)
    if tf_text: open(out + '/main.tf', 'w').write(tf_text)
    found = 'none' if not dr else 'delete' if any(e['actions'] == ['delete'] for e in dr.values()) else 'update'
    records = tidy(T.records); sh = [shapes.shape(r) for r in records]
    worst = next((s for s in ('rule', 'partial', 'exact') if any(x['shape'] == s for x in sh)), None)
    json.dump(tidy(json.load(open(d + '/terraform.tfstate'))), open(out + '/state.json', 'w'), separators=(',', ':'))
    json.dump({'Records': records}, open(out + '/events.json', 'w'), indent=1)
    json.dump(tidy({'case': cid, 'drifted': bool(dr), 'drift': dr, 'planned': ch, 'refresh_only_plan_agrees': None if ro is None or others else dr == ro}), open(out + '/truth.json', 'w'), indent=1)
    json.dump({'case': cid, 'world': name, 'service': c['svc'], 'kind': c['kind'], 'note': c.get('note', ''), 'calls': tidy(T.log), 'noise_dropped': sorted('%s:%s' % x for x in drop),
               'planned_together_with': others, 'seconds': {'terraform': tm}, 'records': sh, 'shape': worst,
               'truth': {'by': f'terraform 1.11.4 + terraform-provider-aws 5.100.0 against moto {moto.__version__}', 'expected_kind': c['kind'], 'found': found}, 'surprise': found != c['kind']},
              open(out + '/meta.json', 'w'), indent=1)
    print('%s%-40s %-6s drift=%s planned=%s' % ('' if found == c['kind'] else '!! ', cid, c['kind'], {a: list(e.get('attributes', e['actions'])) for a, e in dr.items()}, {a: '/'.join(e['actions']) for a, e in ch.items()}), flush=True)

def world(name, only=None):
    W = importlib.import_module('scen_' + name); d = f'{WORK}/run/{name}'
    shutil.rmtree(d, ignore_errors=True); shutil.copytree(f'{HERE}/worlds/{name}', d)
    t = open(TRUTH + '/worlds/provider.tf.tmpl').read().replace('@@ENDPOINTS@@', '\n'.join(f'    {s} = "{EP}"' for s in SERV))
    tags = getattr(W, 'DEFAULT_TAGS', None)
    t = t.replace('@@DEFAULT_TAGS@@', '  default_tags {\n    tags = { %s }\n  }' % ', '.join(f'{k} = "{v}"' for k, v in tags.items()) if tags else '')
    open(d + '/provider.tf', 'w').write(t)
    mp = subprocess.Popen([sys.executable, HERE + '/moto_more.py', str(PORT), SOCK], stdout=subprocess.PIPE, text=True, cwd=WORK)
    assert mp.stdout.readline().strip() == 'ready'
    pp = provider(d)
    try:
        tf(d, 'init', '-input=false', '-no-color')
        if hasattr(W, 'before'): W.before(clients)
        _, ta = tf(d, 'apply', '-auto-approve', '-input=false', '-no-color')
        tf(d, 'apply', '-refresh-only', '-auto-approve', '-input=false', '-no-color')
        dr, ch, ro, tm = plan(d, both=False)
        drop = {(a, k) for a, e in dr.items() for k in e.get('attributes', {})}
        noisy = set(ch)
        print(name, 'applied in %.0fs' % ta, '| noise drift', {a: list(e.get('attributes', e['actions'])) for a, e in dr.items()}, '| planned', {a: (e['actions'], list(e.get('attributes', []))) for a, e in ch.items()}, tm, flush=True)
        S = State(d + '/terraform.tfstate'); ctl(SOCK, 'freeze')
        while True:
            todo = [c for c in W.CASES if (not only or c['id'] in only) and not (os.environ.get('SKIP_DONE') and os.path.exists(f"{OUT}/{name.split('_')[0]}-{c['id']}/truth.json"))]
            for g in groups(todo): group(name, d, S, drop, noisy, g)
            # with a file WORK/keep the applied world stays; a file WORK/again reads the scenarios anew and runs what is missing
            print('= done', flush=True)
            while os.path.exists(WORK + '/keep') and not os.path.exists(WORK + '/again'): time.sleep(1)
            if not os.path.exists(WORK + '/again'): break
            os.remove(WORK + '/again'); W = importlib.reload(W)
    finally:
        try: ctl(SOCK, 'quit')
        except Exception: pass
        mp.terminate(); pp.terminate()

if __name__ == '__main__':
    for w in sys.argv[1].split(','): world(w, set(sys.argv[2].split(',')) if len(sys.argv) > 2 else None)
