# databases, tables, keys, secrets, parameters
resource "aws_vpc" "db" {
  cidr_block = "10.80.0.0/16"
}

resource "aws_subnet" "db" {
  count             = 3
  vpc_id            = aws_vpc.db.id
  cidr_block        = cidrsubnet("10.80.0.0/16", 8, count.index)
  availability_zone = ["us-east-1a", "us-east-1b", "us-east-1c"][count.index]
}

resource "aws_security_group" "db" {
  count  = 2
  name   = "db-${count.index}"
  vpc_id = aws_vpc.db.id
}

resource "aws_db_subnet_group" "main" {
  name        = "shop"
  description = "shop databases"
  subnet_ids  = slice(aws_subnet.db[*].id, 0, 2)
  tags        = { Team = "data" }
}

resource "aws_db_parameter_group" "mysql" {
  name   = "shop-mysql"
  family = "mysql8.0"
  parameter {
    name  = "max_connections"
    value = "500"
  }
  parameter {
    name  = "slow_query_log"
    value = "1"
  }
}

resource "aws_rds_cluster_parameter_group" "aurora" {
  name   = "shop-aurora"
  family = "aurora-postgresql15"
  parameter {
    name  = "log_statement"
    value = "ddl"
  }
}

resource "aws_db_option_group" "mysql" {
  name                     = "shop-options"
  engine_name              = "mysql"
  major_engine_version     = "8.0"
  option_group_description = "shop"
}

resource "aws_db_instance" "shop" {
  for_each                   = toset(["main", "report"])
  identifier                 = "shop-${each.key}"
  engine                     = "mysql"
  engine_version             = "8.0.35"
  instance_class             = "db.t3.medium"
  allocated_storage          = 20
  max_allocated_storage      = 100
  storage_type               = "gp3"
  storage_encrypted          = true
  db_name                    = "shop"
  username                   = "admin"
  password                   = "not-a-real-password-1"
  db_subnet_group_name       = aws_db_subnet_group.main.name
  parameter_group_name       = aws_db_parameter_group.mysql.name
  vpc_security_group_ids     = [aws_security_group.db[0].id]
  backup_retention_period    = 14
  backup_window              = "03:00-04:00"
  maintenance_window         = "sun:05:00-sun:06:00"
  multi_az                   = each.key == "main"
  deletion_protection        = each.key == "main"
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  skip_final_snapshot        = true
  apply_immediately          = true
  tags                       = { Team = "data", Name = each.key }
}

resource "aws_rds_cluster" "aurora" {
  cluster_identifier              = "shop-aurora"
  engine                          = "aurora-postgresql"
  engine_version                  = "15.4"
  master_username                 = "root_user"
  master_password                 = "not-a-real-password-1"
  database_name                   = "shop"
  db_subnet_group_name            = aws_db_subnet_group.main.name
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.aurora.name
  vpc_security_group_ids          = [aws_security_group.db[0].id]
  backup_retention_period         = 7
  preferred_backup_window         = "02:00-03:00"
  deletion_protection             = true
  storage_encrypted               = true
  skip_final_snapshot             = true
  apply_immediately               = true
  tags                            = { Team = "data" }
}

resource "aws_rds_cluster_instance" "aurora" {
  count              = 2
  identifier         = "shop-aurora-${count.index}"
  cluster_identifier = aws_rds_cluster.aurora.id
  engine             = aws_rds_cluster.aurora.engine
  instance_class     = "db.r6g.large"
  promotion_tier     = count.index
}

resource "aws_db_snapshot" "report" {
  db_instance_identifier = aws_db_instance.shop["report"].identifier
  db_snapshot_identifier = "report-before"
}

resource "aws_dynamodb_table" "cart" {
  name         = "cart"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "user"
  range_key    = "item"
  attribute {
    name = "user"
    type = "S"
  }
  attribute {
    name = "item"
    type = "S"
  }
  ttl {
    attribute_name = "expires"
    enabled        = true
  }
  point_in_time_recovery {
    enabled = false
  }
  server_side_encryption {
    enabled = true
  }
  deletion_protection_enabled = true
  tags                        = { Team = "shop", Tier = "1" }
}

resource "aws_dynamodb_table" "events" {
  name             = "events"
  billing_mode     = "PROVISIONED"
  read_capacity    = 5
  write_capacity   = 5
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"
  attribute {
    name = "id"
    type = "S"
  }
  attribute {
    name = "kind"
    type = "S"
  }
  global_secondary_index {
    name            = "by-kind"
    hash_key        = "kind"
    projection_type = "ALL"
    read_capacity   = 5
    write_capacity  = 5
  }
}

resource "aws_appautoscaling_target" "events" {
  max_capacity       = 100
  min_capacity       = 5
  resource_id        = "table/${aws_dynamodb_table.events.name}"
  scalable_dimension = "dynamodb:table:ReadCapacityUnits"
  service_namespace  = "dynamodb"
}

resource "aws_appautoscaling_policy" "events" {
  name               = "events-read"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.events.resource_id
  scalable_dimension = aws_appautoscaling_target.events.scalable_dimension
  service_namespace  = aws_appautoscaling_target.events.service_namespace
  target_tracking_scaling_policy_configuration {
    target_value = 70
    predefined_metric_specification {
      predefined_metric_type = "DynamoDBReadCapacityUtilization"
    }
  }
}

resource "aws_kms_key" "shop" {
  description             = "shop"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "root", Effect = "Allow", Principal = { AWS = "arn:aws:iam::595263720623:root" }, Action = "kms:*", Resource = "*" }]
  })
  tags = { Team = "shop" }
}

resource "aws_kms_key" "idle" {
  description = "idle"
  is_enabled  = false
}

resource "aws_kms_alias" "shop" {
  name          = "alias/shop"
  target_key_id = aws_kms_key.shop.key_id
}

resource "aws_iam_role" "reader" {
  name = "reader"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_kms_grant" "reader" {
  name              = "reader"
  key_id            = aws_kms_key.shop.key_id
  grantee_principal = aws_iam_role.reader.arn
  operations        = ["Decrypt", "GenerateDataKey"]
}

resource "aws_secretsmanager_secret" "api" {
  name                    = "shop/api"
  description             = "api key"
  kms_key_id              = aws_kms_key.shop.arn
  recovery_window_in_days = 0
  tags                    = { Team = "shop" }
}

resource "aws_secretsmanager_secret_version" "api" {
  secret_id     = aws_secretsmanager_secret.api.id
  secret_string = "not-a-real-secret"
}

resource "aws_secretsmanager_secret_policy" "api" {
  secret_arn = aws_secretsmanager_secret.api.arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "own", Effect = "Allow", Principal = { AWS = "arn:aws:iam::595263720623:root" }, Action = "secretsmanager:GetSecretValue", Resource = "*" }]
  })
}

resource "aws_secretsmanager_secret" "bare" {
  name = "shop/bare"
}

resource "aws_ssm_parameter" "p" {
  for_each    = { url = "https://shop.example.com", hosts = "a,b" }
  name        = "/shop/${each.key}"
  type        = each.key == "hosts" ? "StringList" : "String"
  value       = each.value
  description = "shop ${each.key}"
  tags        = { Team = "shop" }
}

resource "aws_ssm_document" "run" {
  name          = "shop-run"
  document_type = "Command"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "run"
    mainSteps     = [{ action = "aws:runShellScript", name = "run", inputs = { runCommand = ["true"] } }]
  })
}
