# a network: a module with for_each, groups in three shapes, tables in two shapes, ACLs in two shapes, gateways, endpoints, peering, flow logs
module "net" {
  source = "./net"
  cidr   = "10.60.0.0/16"
  zones  = { a = "10.60.1.0/24", b = "10.60.2.0/24", c = "10.60.3.0/24" }
}

resource "aws_vpc" "edge" {
  cidr_block = "10.61.0.0/16"
}

resource "aws_ec2_managed_prefix_list" "office" {
  name           = "office"
  address_family = "IPv4"
  max_entries    = 5
  entry {
    cidr        = "192.0.2.0/24"
    description = "hq"
  }
}

# shape 1: inline
resource "aws_security_group" "inline" {
  name        = "core-inline"
  description = "inline rules"
  vpc_id      = module.net.vpc_id
  ingress {
    description = "ssh from the office"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = ["192.0.2.0/24", "198.51.100.0/24"]
  }
  ingress {
    description      = "web"
    protocol         = "tcp"
    from_port        = 443
    to_port          = 443
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  egress {
    description = "dns"
    protocol    = "udp"
    from_port   = 53
    to_port     = 53
    cidr_blocks = ["10.60.0.2/32"]
  }
  egress {
    description = "all"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["10.0.0.0/8"]
  }
  tags = { Name = "core-inline", Tier = "web" }
}

resource "aws_security_group" "lists" {
  name   = "core-lists"
  vpc_id = module.net.vpc_id
  ingress {
    protocol        = "tcp"
    from_port       = 8443
    to_port         = 8443
    prefix_list_ids = [aws_ec2_managed_prefix_list.office.id]
  }
  ingress {
    protocol        = "tcp"
    from_port       = 5432
    to_port         = 5432
    security_groups = [aws_security_group.inline.id]
    self            = true
  }
}

# shape 2: aws_security_group_rule
resource "aws_security_group" "rules" {
  name   = "core-rules"
  vpc_id = module.net.vpc_id
}

resource "aws_security_group_rule" "many" {
  security_group_id = aws_security_group.rules.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = 8080
  to_port           = 8090
  cidr_blocks       = ["10.60.0.0/16", "10.61.0.0/16"]
  description       = "app"
}

resource "aws_security_group_rule" "source" {
  security_group_id        = aws_security_group.rules.id
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = 9000
  to_port                  = 9000
  source_security_group_id = aws_security_group.inline.id
}

resource "aws_security_group_rule" "self" {
  security_group_id = aws_security_group.rules.id
  type              = "ingress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  self              = true
}

resource "aws_security_group_rule" "out" {
  for_each          = toset(["80", "443"])
  security_group_id = aws_security_group.rules.id
  type              = "egress"
  protocol          = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  cidr_blocks       = ["0.0.0.0/0"]
}

# shape 3: aws_vpc_security_group_*_rule
resource "aws_security_group" "new" {
  name   = "core-new"
  vpc_id = module.net.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "pg" {
  security_group_id            = aws_security_group.new.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.rules.id
  description                  = "postgres"
  tags                         = { Name = "pg" }
}

resource "aws_vpc_security_group_ingress_rule" "list" {
  security_group_id = aws_security_group.new.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  prefix_list_id    = aws_ec2_managed_prefix_list.office.id
}

resource "aws_vpc_security_group_ingress_rule" "cidr" {
  for_each          = { a = "10.60.1.0/24", b = "10.60.2.0/24" }
  security_group_id = aws_security_group.new.id
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.new.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

# tables
resource "aws_internet_gateway" "core" {
  vpc_id = module.net.vpc_id
  tags   = { Name = "core" }
}

resource "aws_eip" "nat" {
  domain = "vpc"
}

resource "aws_nat_gateway" "core" {
  allocation_id = aws_eip.nat.id
  subnet_id     = module.net.subnets["a"]
  tags          = { Name = "core" }
}

resource "aws_vpc_peering_connection" "edge" {
  vpc_id      = module.net.vpc_id
  peer_vpc_id = aws_vpc.edge.id
  auto_accept = true
  tags        = { Name = "core-edge" }
}

resource "aws_route_table" "split" {
  vpc_id = module.net.vpc_id
  tags   = { Name = "split" }
}

resource "aws_route" "default" {
  route_table_id         = aws_route_table.split.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.core.id
}

resource "aws_route" "peer" {
  route_table_id            = aws_route_table.split.id
  destination_cidr_block    = "10.61.0.0/16"
  vpc_peering_connection_id = aws_vpc_peering_connection.edge.id
}

resource "aws_route_table" "inline" {
  vpc_id = module.net.vpc_id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.core.id
  }
  route {
    cidr_block                = "10.61.0.0/16"
    vpc_peering_connection_id = aws_vpc_peering_connection.edge.id
  }
}

resource "aws_route_table_association" "this" {
  for_each       = module.net.subnets
  subnet_id      = each.value
  route_table_id = each.key == "a" ? aws_route_table.inline.id : aws_route_table.split.id
}

resource "aws_main_route_table_association" "core" {
  vpc_id         = module.net.vpc_id
  route_table_id = aws_route_table.split.id
}

# ACLs
resource "aws_network_acl" "inline" {
  vpc_id     = module.net.vpc_id
  subnet_ids = [module.net.subnets["c"]]
  ingress {
    rule_no    = 100
    protocol   = "tcp"
    action     = "allow"
    cidr_block = "10.60.0.0/16"
    from_port  = 1024
    to_port    = 65535
  }
  ingress {
    rule_no    = 110
    protocol   = "icmp"
    action     = "deny"
    cidr_block = "0.0.0.0/0"
    icmp_type  = 8
    icmp_code  = -1
    from_port  = 0
    to_port    = 0
  }
  egress {
    rule_no    = 100
    protocol   = "-1"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  tags = { Name = "inline" }
}

resource "aws_network_acl" "split" {
  vpc_id = module.net.vpc_id
}

resource "aws_network_acl_rule" "web" {
  network_acl_id = aws_network_acl.split.id
  rule_number    = 200
  egress         = false
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
  from_port      = 443
  to_port        = 443
}

resource "aws_network_acl_rule" "out" {
  network_acl_id = aws_network_acl.split.id
  rule_number    = 200
  egress         = true
  protocol       = "-1"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
}

# gateways and endpoints
resource "aws_vpn_gateway" "core" {
  vpc_id = module.net.vpc_id
  tags   = { Name = "core" }
}

resource "aws_customer_gateway" "office" {
  bgp_asn    = 65010
  ip_address = "192.0.2.1"
  type       = "ipsec.1"
}

resource "aws_egress_only_internet_gateway" "core" {
  vpc_id = module.net.vpc_id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = module.net.vpc_id
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = [aws_route_table.split.id]
}

resource "aws_vpc_endpoint" "sqs" {
  vpc_id              = module.net.vpc_id
  service_name        = "com.amazonaws.us-east-1.sqs"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [module.net.subnets["a"], module.net.subnets["b"]]
  security_group_ids  = [aws_security_group.inline.id]
  private_dns_enabled = true
}

resource "aws_vpc_dhcp_options" "core" {
  domain_name         = "core.internal"
  domain_name_servers = ["10.60.0.2"]
}

resource "aws_vpc_dhcp_options_association" "core" {
  vpc_id          = module.net.vpc_id
  dhcp_options_id = aws_vpc_dhcp_options.core.id
}

resource "aws_cloudwatch_log_group" "flow" {
  name = "/vpc/flow"
}

resource "aws_iam_role" "flow" {
  name = "flow"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "vpc-flow-logs.amazonaws.com" } }]
  })
}

resource "aws_flow_log" "core" {
  vpc_id          = module.net.vpc_id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow.arn
  iam_role_arn    = aws_iam_role.flow.arn
}
