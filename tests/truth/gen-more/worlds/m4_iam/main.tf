# people and machines: roles, users, groups, policies in all their attachments, providers
locals {
  doc = {
    read  = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "Read", Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = "*" }] })
    queue = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:us-east-1:595263720623:*" }] })
  }
  trust = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

resource "aws_iam_policy" "shared" {
  for_each    = local.doc
  name        = "team-${each.key}"
  path        = "/team/"
  description = "shared ${each.key}"
  policy      = each.value
  tags        = { Team = "core" }
}

resource "aws_iam_policy" "limit" {
  name   = "boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", NotAction = "iam:*", Resource = "*" }] })
}

# split resources on a role
resource "aws_iam_role" "task" {
  name                 = "orders-task"
  path                 = "/svc/"
  description          = "orders"
  assume_role_policy   = local.trust
  permissions_boundary = aws_iam_policy.limit.arn
  max_session_duration = 7200
  tags                 = { Team = "orders", Cost = "7" }
}

resource "aws_iam_role_policy" "task" {
  for_each = local.doc
  name     = each.key
  role     = aws_iam_role.task.id
  policy   = each.value
}

resource "aws_iam_role_policy_attachment" "task" {
  count      = 2
  role       = aws_iam_role.task.name
  policy_arn = [aws_iam_policy.shared["read"].arn, "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"][count.index]
}

resource "aws_iam_instance_profile" "task" {
  name = "orders-profile"
  role = aws_iam_role.task.name
  tags = { Team = "orders" }
}

# a bare role
resource "aws_iam_role" "bare" {
  name               = "bare"
  assume_role_policy = local.trust
}

# exclusive sets
resource "aws_iam_role" "exclusive" {
  name               = "exclusive"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy_attachments_exclusive" "exclusive" {
  role_name   = aws_iam_role.exclusive.name
  policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
}

resource "aws_iam_role_policies_exclusive" "exclusive" {
  role_name    = aws_iam_role.exclusive.name
  policy_names = []
}

resource "aws_iam_user" "bot" {
  name          = "bot"
  path          = "/machines/"
  force_destroy = true
  tags          = { Kind = "machine" }
}

resource "aws_iam_user" "people" {
  for_each = toset(["ann", "ben"])
  name     = each.key
}

resource "aws_iam_user_policy" "bot" {
  name   = "queue"
  user   = aws_iam_user.bot.name
  policy = local.doc.queue
}

resource "aws_iam_user_policy_attachment" "bot" {
  user       = aws_iam_user.bot.name
  policy_arn = aws_iam_policy.shared["queue"].arn
}

resource "aws_iam_access_key" "bot" {
  user = aws_iam_user.bot.name
}

resource "aws_iam_user_login_profile" "ann" {
  user                    = aws_iam_user.people["ann"].name
  password_length         = 20
  password_reset_required = true
}

resource "aws_iam_user_ssh_key" "ben" {
  username   = aws_iam_user.people["ben"].name
  encoding   = "SSH"
  public_key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC3F6tyPEFEzV0LX3X8BsXdMsQz1x2cEikKDEY0aIj41qgxMCP/iteneqXSIFZBp5vizPvaoIR3Um9xK7PGoW8giupGn+EPuxIA4cDM4vzOqOkiMPhz5XK0whEjkVzTo4+S0puvDZuwIsdiW9mxhJc7tgBNL0cYlWSYVkz4G/fslNfRPW5mYAM49f4fhtxPb5ok4Q2Lg9dPKVHO/Bgeu5woMc7RY0p1ej6D4CKFE6lymSDJpW0YHX/wqE9+cfEauh7xZcG0q9t2ta6F6fmX0agvpFyZo8aFbXeUBr7osSCJNgvavWbM/06niWrOvYX2xwWdhXmXSrbX8ZbabVohBK41 ben"
}

resource "aws_iam_group" "dev" {
  name = "dev"
  path = "/people/"
}

resource "aws_iam_group" "ops" {
  name = "ops"
}

resource "aws_iam_group_policy" "dev" {
  name   = "read"
  group  = aws_iam_group.dev.name
  policy = local.doc.read
}

resource "aws_iam_group_policy_attachment" "dev" {
  group      = aws_iam_group.dev.name
  policy_arn = aws_iam_policy.shared["read"].arn
}

resource "aws_iam_group_membership" "dev" {
  name  = "dev"
  group = aws_iam_group.dev.name
  users = [for u in aws_iam_user.people : u.name]
}

resource "aws_iam_user_group_membership" "bot" {
  user   = aws_iam_user.bot.name
  groups = [aws_iam_group.ops.name]
}

resource "aws_iam_policy_attachment" "shared" {
  name       = "queue-everywhere"
  policy_arn = aws_iam_policy.limit.arn
  roles      = [aws_iam_role.bare.name]
  groups     = [aws_iam_group.ops.name]
}

resource "aws_iam_openid_connect_provider" "ci" {
  url             = "https://token.ci.example.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
  tags            = { Kind = "ci" }
}

resource "aws_iam_saml_provider" "idp" {
  name                   = "idp"
  saml_metadata_document = file("${path.module}/idp.xml")
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length        = 14
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  allow_users_to_change_password = true
  max_password_age               = 90
  password_reuse_prevention      = 5
}

resource "aws_iam_account_alias" "this" {
  account_alias = "shop-prod"
}

resource "aws_iam_service_linked_role" "es" {
  aws_service_name = "es.amazonaws.com"
  description      = "search"
}
