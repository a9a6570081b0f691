# buckets with every split resource; default_tags are on
locals {
  account = "595263720623"
}

resource "aws_kms_key" "s3" {
  description = "buckets"
}

resource "aws_s3_bucket" "site" {
  bucket = "shop-site-${local.account}"
  tags   = { Name = "site" }
}

resource "aws_s3_bucket" "data" {
  bucket        = "shop-data-${local.account}"
  force_destroy = true
}

resource "aws_s3_bucket" "vault" {
  bucket              = "shop-vault-${local.account}"
  object_lock_enabled = true
}

resource "aws_s3_bucket" "replica" {
  bucket = "shop-replica-${local.account}"
}

# every setting of one bucket
resource "aws_s3_bucket_ownership_controls" "site" {
  bucket = aws_s3_bucket.site.id
  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_public_access_block" "site" {
  bucket                  = aws_s3_bucket.site.id
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = false
}

resource "aws_s3_bucket_acl" "site" {
  depends_on = [aws_s3_bucket_ownership_controls.site]
  bucket     = aws_s3_bucket.site.id
  acl        = "private"
}

resource "aws_s3_bucket_website_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  index_document {
    suffix = "index.html"
  }
  error_document {
    key = "404.html"
  }
}

resource "aws_s3_bucket_cors_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  cors_rule {
    id              = "shop"
    allowed_methods = ["GET", "HEAD"]
    allowed_origins = ["https://shop.example.com", "https://www.example.com"]
    max_age_seconds = 300
  }
  cors_rule {
    allowed_methods = ["PUT"]
    allowed_origins = ["https://admin.example.com"]
    allowed_headers = ["Authorization"]
    expose_headers  = ["ETag"]
  }
}

resource "aws_s3_bucket_policy" "site" {
  depends_on = [aws_s3_bucket_public_access_block.site]
  bucket     = aws_s3_bucket.site.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "cdn", Effect = "Allow", Principal = { AWS = "arn:aws:iam::${local.account}:root" }, Action = ["s3:GetObject", "s3:ListBucket"], Resource = ["arn:aws:s3:::shop-site-${local.account}", "arn:aws:s3:::shop-site-${local.account}/*"] },
    ]
  })
}

resource "aws_s3_bucket_request_payment_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  payer  = "BucketOwner"
}

resource "aws_s3_bucket_accelerate_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  status = "Enabled"
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_versioning" "replica" {
  bucket = aws_s3_bucket.replica.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.s3.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    id     = "tier"
    status = "Enabled"
    filter {
      prefix = "archive/"
    }
    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }
    transition {
      days          = 90
      storage_class = "GLACIER"
    }
    expiration {
      days = 3650
    }
  }
  rule {
    id     = "sweep"
    status = "Enabled"
    filter {
      prefix = "tmp/"
    }
    noncurrent_version_expiration {
      noncurrent_days = 7
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }
  }
}

resource "aws_s3_bucket_policy" "replica" {
  bucket = aws_s3_bucket.replica.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "logs", Effect = "Allow", Principal = { Service = "logging.s3.amazonaws.com" }, Action = "s3:PutObject", Resource = "arn:aws:s3:::shop-replica-${local.account}/*" },
    ]
  })
}

resource "aws_s3_bucket_logging" "data" {
  depends_on    = [aws_s3_bucket_policy.replica]
  bucket        = aws_s3_bucket.data.id
  target_bucket = aws_s3_bucket.replica.id
  target_prefix = "data/"
}

resource "aws_iam_role" "replication" {
  name = "replication"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "s3.amazonaws.com" } }]
  })
}

resource "aws_s3_bucket_replication_configuration" "data" {
  depends_on = [aws_s3_bucket_versioning.data, aws_s3_bucket_versioning.replica]
  bucket     = aws_s3_bucket.data.id
  role       = aws_iam_role.replication.arn
  rule {
    id       = "all"
    priority = 1
    status   = "Enabled"
    filter {
      prefix = "orders/"
    }
    delete_marker_replication {
      status = "Disabled"
    }
    destination {
      bucket        = aws_s3_bucket.replica.arn
      storage_class = "STANDARD_IA"
    }
  }
}

resource "aws_sqs_queue" "objects" {
  name = "objects"
}

resource "aws_sqs_queue_policy" "objects" {
  queue_url = aws_sqs_queue.objects.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sqs:SendMessage", Resource = aws_sqs_queue.objects.arn }]
  })
}

resource "aws_s3_bucket_notification" "data" {
  depends_on = [aws_sqs_queue_policy.objects]
  bucket     = aws_s3_bucket.data.id
  queue {
    id            = "orders"
    queue_arn     = aws_sqs_queue.objects.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "orders/"
    filter_suffix = ".json"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "vault" {
  bucket = aws_s3_bucket.vault.id
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = 30
    }
  }
}

resource "aws_s3_bucket_public_access_block" "rest" {
  for_each                = { data = aws_s3_bucket.data.id, vault = aws_s3_bucket.vault.id }
  bucket                  = each.value
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
