from scen import Cases
CASES = case = Cases()
DEFAULT_TAGS = {'Owner': 'platform', 'Stage': 'prod'}
CONFIGURATION = True  # the state cannot tell a default from a tag of the resource's own where both name the key
# Each change by hand, on every way in which own tags and default_tags meet (worlds/m8_tags). tags_all is what AWS holds; what tags is then is the provider's secret.
WAYS = ('plain', 'own', 'over', 'same', 'both')
CHANGES = {
    'default-changed': ({'Owner': 'mallory'}, ()),
    'default-removed': ({}, ('Owner',)),
    'stage-to-default': ({'Stage': 'prod'}, ()),           # where the resource's own Stage was test: it is as the default now
    'stage-removed': ({}, ('Stage',)),
    'own-added': ({'Name': 'x', 'Extra': 'y'}, ()),
    'own-removed-and-default-changed': ({'Stage': 'dev'}, ('Name',)),
    'all-gone': ({}, ('Owner', 'Stage', 'Name')),
}
def sqs(way, put, gone):
    def f(t, s):
        url = s(f'aws_sqs_queue.q["{way}"]')['url']
        if put: t.call('sqs', 'TagQueue', QueueUrl=url, Tags=put)
        if gone: t.call('sqs', 'UntagQueue', QueueUrl=url, TagKeys=list(gone))
    return f
def vpc(way, put, gone):
    def f(t, s):
        ids = [s(f'aws_vpc.v["{way}"]')['id']]
        if put: t.call('ec2', 'CreateTags', Resources=ids, Tags=[{'Key': k, 'Value': v} for k, v in put.items()])
        if gone: t.call('ec2', 'DeleteTags', Resources=ids, Tags=[{'Key': k} for k in gone])
    return f
for change, (put, gone) in CHANGES.items():
    for way in WAYS:
        same = change == 'stage-to-default' and way in ('plain', 'own', 'same')
        for name, svc, at, fn in (('sqs', 'sqs', 'aws_sqs_queue.q', sqs), ('vpc', 'ec2', 'aws_vpc.v', vpc)):
            case(f'{name}-{way}-{change}', svc, 'none' if same else 'update', on=[f'{at}["{way}"]'])(fn(way, put, gone))
