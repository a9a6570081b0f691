#!/usr/bin/env python3
"""Writes operations.txt: AWS's operations by eventSource, against which the names in the mappings are checked.

  operations.py > operations.txt        (needs the package botocore; written with 1.43.11)

An eventSource is botocore's signingName with .amazonaws.com; several services may share one. CloudTrail writes some names of S3
otherwise than the API: EXTRA has those, each seen in real records or in AWS's list "Amazon S3 CloudTrail events".
"""
import collections, gzip, json, os, re

import botocore

EXTRA = {
    "s3.amazonaws.com": """CreateAccessPoint DeleteAccessPoint DeleteAccessPointPolicy DeleteAccountPublicAccessBlock DeleteBucketLifecycle
        DeleteBucketPublicAccessBlock PutAccelerateConfiguration PutAccessPointPolicy PutAccountPublicAccessBlock
        PutAnalyticsConfiguration PutBucketLifecycle PutBucketNotification PutBucketObjectLockConfiguration PutBucketPublicAccessBlock
        PutIntelligentTieringConfiguration PutInventoryConfiguration PutMetricsConfiguration DeleteAnalyticsConfiguration
        DeleteBucketLifecycleConfiguration DeleteIntelligentTieringConfiguration DeleteInventoryConfiguration DeleteMetricsConfiguration""",
}

root = os.path.join(os.path.dirname(botocore.__file__), "data")
out = collections.defaultdict(set)
for service in sorted(os.listdir(root)):
    folder = os.path.join(root, service)
    if not os.path.isdir(folder):
        continue
    for version in os.listdir(folder):
        path = os.path.join(folder, version, "service-2.json.gz")
        if not os.path.exists(path):
            continue
        model = json.load(gzip.open(path))
        meta = model["metadata"]
        source = (meta.get("signingName") or meta["endpointPrefix"]) + ".amazonaws.com"
        # CloudFront's model repeats the API's date in each name, as some event names do
        out[source].update(re.sub(r"\d{4}_?\d{2}_?\d{2}$", "", name) for name in model["operations"])
for source, names in EXTRA.items():
    out[source].update(names.split())
for source in sorted(out):
    print(source + ": " + " ".join(sorted(out[source])))
