variable "cidr" {
  type = string
}
variable "zones" {
  type = map(string)
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "core", Env = "prod" }
}

resource "aws_subnet" "this" {
  for_each          = var.zones
  vpc_id            = aws_vpc.this.id
  availability_zone = "us-east-1${each.key}"
  cidr_block        = each.value
  tags              = { Name = "core-${each.key}" }
}

output "vpc_id" {
  value = aws_vpc.this.id
}
output "subnets" {
  value = { for k, s in aws_subnet.this : k => s.id }
}
