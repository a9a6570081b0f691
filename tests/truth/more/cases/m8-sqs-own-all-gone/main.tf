# Every way in which a resource's own tags and the provider's default_tags (Owner = platform, Stage = prod) can meet.
locals {
  tags = {
    plain = null                                   # nothing of its own
    own   = { Name = "own" }                       # a key that is no default
    over  = { Stage = "test" }                     # a default's key, another value
    same  = { Owner = "platform" }                 # a default's key and value
    both  = { Name = "both", Owner = "platform", Stage = "test" }
  }
}

resource "aws_sqs_queue" "q" {
  for_each = local.tags
  name     = "tags-${each.key}"
  tags     = each.value
}

resource "aws_vpc" "v" {
  for_each   = local.tags
  cidr_block = "10.9${index(keys(local.tags), each.key)}.0.0/16"
  tags       = each.value
}

provider "aws" {
  default_tags {
    tags = { Owner = "platform", Stage = "prod" }
  }
}
