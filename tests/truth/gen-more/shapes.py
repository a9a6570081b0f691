"""What ../gen/ctrail.py does not know about how CloudTrail writes records, added for the cases made here, and how sure a record's shape is.

Read off public real records where there are any (ModifyImageAttribute, ModifySnapshotAttribute, DeleteFlowLogs, CreateFunctionUrlConfig,
API Gateway v2); the versioned Lambda names follow the API's dated paths, as every real Lambda record does."""
import base64, glob, gzip, json, os, re
import ctrail

ctrail.EC2_WRAPPED |= set('''CreateManagedPrefixList ModifyManagedPrefixList DeleteManagedPrefixList ModifyTransitGateway
 CreateEgressOnlyInternetGateway DeleteEgressOnlyInternetGateway'''.split())
ctrail.LAMBDA.update({
    'PublishLayerVersion': 'PublishLayerVersion20181031', 'DeleteLayerVersion': 'DeleteLayerVersion20181031',
    'AddLayerVersionPermission': 'AddLayerVersionPermission20181031', 'RemoveLayerVersionPermission': 'RemoveLayerVersionPermission20181031',
    'CreateAlias': 'CreateAlias20150331', 'DeleteAlias': 'DeleteAlias20150331',
    'PutFunctionEventInvokeConfig': 'PutFunctionEventInvokeConfig20190930', 'DeleteFunctionEventInvokeConfig': 'DeleteFunctionEventInvokeConfig20190930',
    'UpdateFunctionEventInvokeConfig': 'UpdateFunctionEventInvokeConfig20190930',
})
ctrail.SOURCE.update({'application-autoscaling': 'application-autoscaling'})
ctrail.SECRET.update({('rds', 'ModifyDBCluster'): ['*masterUserPassword'], ('rds', 'CreateDBInstance'): ['*masterUserPassword']})
ctrail.S3NAME.update({'DeleteBucketLifecycle': 'DeleteBucketLifecycle', 'PutBucketAbac': 'PutBucketAbac'})

_ec2_request = ctrail.ec2_request
def ec2_request(op, model, p):
    p = {k: base64.b64encode(v).decode() if isinstance(v, bytes) and k == 'PublicKeyMaterial' else v for k, v in p.items()}
    if op in ('ModifyImageAttribute', 'ModifySnapshotAttribute'):
        o = {}
        for k, v in p.items():
            m = model.input_shape.members[k]
            name = ctrail.lc(m.serialization.get('name', k))
            if k == 'Attribute':
                o['attributeType'] = 'CREATE_VOLUME_PERMISSION' if v == 'createVolumePermission' else v
            elif k == 'UserIds':
                o['userId'] = {'items': [{'userId': x} for x in v]}
            else:
                o[name] = ctrail.ec2_items(m, v)
        return o
    if op in ('UpdateSecurityGroupRuleDescriptionsIngress', 'UpdateSecurityGroupRuleDescriptionsEgress'):
        o = {'groupId': p['GroupId']}
        if 'IpPermissions' in p:
            o['ipPermissions'] = ctrail.ip_permissions(p['IpPermissions'])
        if 'SecurityGroupRuleDescriptions' in p:
            o['securityGroupRuleDescriptions'] = {'items': [{ctrail.lc(k): v for k, v in x.items()} for x in p['SecurityGroupRuleDescriptions']]}
        return o
    if op in ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry') and ('Ipv6CidrBlock' in p or 'IcmpTypeCode' in p):
        o = _ec2_request(op, model, p)
        if 'Ipv6CidrBlock' in p:
            o['ipv6CidrBlock'] = p['Ipv6CidrBlock']
        if 'IcmpTypeCode' in p:
            o['icmpTypeCode'] = {ctrail.lc(k): v for k, v in p['IcmpTypeCode'].items()}
        return o
    if op == 'RevokeSecurityGroupIngress' and 'IpPermissions' not in p and 'CidrIp' in p:
        o = _ec2_request(op, model, p)
        return o
    return _ec2_request(op, model, p)
ctrail.ec2_request = ec2_request


def paths(v, at=''):
    """key paths of a JSON value, lists left out; map keys below `at` too"""
    if isinstance(v, dict):
        for k, x in v.items():
            yield from paths(x, f'{at}.{k}')
        if not v:
            yield at
    elif isinstance(v, list):
        for x in v:
            yield from paths(x, at + '[]')
    else:
        yield at

_real = None
def real():
    """event -> (key paths seen in real requestParameters, where); empty without TFDRIFT_CORPORA"""
    global _real
    if _real is None:
        _real = {}
        for f in glob.glob(os.environ.get('TFDRIFT_CORPORA', '/nonexistent') + '/*.jsonl.gz'):
            for line in gzip.open(f, 'rt'):
                try:
                    r = json.loads(line)
                except ValueError:
                    continue
                q = r.get('requestParameters')
                if not isinstance(q, dict):
                    continue
                e = _real.setdefault(f"{r.get('eventSource')}|{r.get('eventName')}", (set(), set()))
                e[0].update(paths(q))
                e[1].add(os.path.basename(f).split('.')[0])
    return _real

def shape(rec):
    """exact: every key path of the request is in real records of this event; partial: some are; rule: the event was not seen"""
    key = rec['eventSource'] + '|' + rec['eventName']
    o = {'event': key, 'shape': 'rule'}
    if key in real():
        seen, where = real()[key]
        mine = set(paths(rec['requestParameters'] or {}))
        missing = sorted(mine - seen)
        o['shape'] = 'partial' if missing else 'exact'
        o['seen_in'] = sorted(where)
        if missing:
            o['paths_not_seen'] = missing
    return o

def example_keys(text):
    """access key ids end in EXAMPLE, so that no scanner takes them for real ones"""
    return re.sub(r'\b(A[A-Z]{3})([A-Z2-7]{9})[A-Z2-7]{7}\b', r'\1\2EXAMPLE', text)
