# functions, queues, topics, rules, logs, alarms, streams; default_tags are on
resource "aws_iam_role" "fn" {
  name = "app-fn"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_vpc" "app" {
  cidr_block = "10.90.0.0/16"
}

resource "aws_subnet" "app" {
  vpc_id            = aws_vpc.app.id
  cidr_block        = "10.90.1.0/24"
  availability_zone = "us-east-1a"
}

resource "aws_security_group" "app" {
  name   = "app-fn"
  vpc_id = aws_vpc.app.id
}

resource "aws_lambda_layer_version" "libs" {
  layer_name          = "libs"
  filename            = "${path.module}/fn.zip"
  compatible_runtimes = ["python3.11"]
}

resource "aws_lambda_function" "f" {
  for_each      = { api = 128, job = 512, cron = 256 }
  function_name = "app-${each.key}"
  role          = aws_iam_role.fn.arn
  handler       = "main.handler"
  runtime       = "python3.11"
  filename      = "${path.module}/fn.zip"
  memory_size   = each.value
  timeout       = 15
  publish       = each.key == "api"
  description   = "function ${each.key}"
  layers        = each.key == "job" ? [aws_lambda_layer_version.libs.arn] : []
  environment {
    variables = { STAGE = "prod", NAME = each.key }
  }
  tracing_config {
    mode = "PassThrough"
  }
  dynamic "vpc_config" {
    for_each = each.key == "cron" ? [1] : []
    content {
      subnet_ids         = [aws_subnet.app.id]
      security_group_ids = [aws_security_group.app.id]
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.f["api"].function_name
  function_version = aws_lambda_function.f["api"].version
  description      = "live"
}

resource "aws_lambda_permission" "s3" {
  statement_id  = "from-s3"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f["job"].function_name
  principal     = "s3.amazonaws.com"
  source_arn    = "arn:aws:s3:::app-in"
}

resource "aws_lambda_function_url" "api" {
  function_name      = aws_lambda_function.f["api"].function_name
  authorization_type = "AWS_IAM"
}

resource "aws_lambda_event_source_mapping" "jobs" {
  event_source_arn = aws_sqs_queue.jobs.arn
  function_name    = aws_lambda_function.f["job"].arn
  batch_size       = 10
}

resource "aws_lambda_function_event_invoke_config" "cron" {
  function_name                = aws_lambda_function.f["cron"].function_name
  maximum_retry_attempts       = 1
  maximum_event_age_in_seconds = 600
}

resource "aws_sqs_queue" "dead" {
  name = "app-dead"
}

resource "aws_sqs_queue" "jobs" {
  name                       = "app-jobs"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 86400
  delay_seconds              = 5
  receive_wait_time_seconds  = 10
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
  tags                       = { Team = "app" }
}

resource "aws_sqs_queue" "fifo" {
  name                        = "app.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  sqs_managed_sse_enabled     = true
}

resource "aws_sqs_queue_policy" "jobs" {
  queue_url = aws_sqs_queue.jobs.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "own", Effect = "Allow", Principal = { AWS = "arn:aws:iam::595263720623:root" }, Action = "sqs:SendMessage", Resource = aws_sqs_queue.jobs.arn }]
  })
}

resource "aws_sns_topic" "news" {
  name         = "app-news"
  display_name = "news"
  tags         = { Team = "app" }
}

resource "aws_sns_topic" "quiet" {
  name = "app-quiet"
}

resource "aws_sns_topic_policy" "news" {
  arn = aws_sns_topic.news.arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "own", Effect = "Allow", Principal = { AWS = "arn:aws:iam::595263720623:root" }, Action = "SNS:Publish", Resource = aws_sns_topic.news.arn }]
  })
}

resource "aws_sns_topic_subscription" "jobs" {
  topic_arn     = aws_sns_topic.news.arn
  protocol      = "sqs"
  endpoint      = aws_sqs_queue.jobs.arn
  filter_policy = jsonencode({ kind = ["order"] })
}

resource "aws_cloudwatch_event_bus" "app" {
  name = "app"
}

resource "aws_cloudwatch_event_rule" "hourly" {
  name                = "app-hourly"
  description         = "hourly"
  schedule_expression = "rate(1 hour)"
  tags                = { Team = "app" }
}

resource "aws_cloudwatch_event_rule" "orders" {
  name           = "orders"
  event_bus_name = aws_cloudwatch_event_bus.app.name
  event_pattern  = jsonencode({ source = ["shop.orders"], "detail-type" = ["created", "paid"] })
}

resource "aws_cloudwatch_event_target" "hourly" {
  rule      = aws_cloudwatch_event_rule.hourly.name
  target_id = "fn"
  arn       = aws_lambda_function.f["cron"].arn
  input     = jsonencode({ run = true })
}

resource "aws_cloudwatch_event_target" "orders" {
  for_each       = { queue = aws_sqs_queue.jobs.arn, dead = aws_sqs_queue.dead.arn }
  rule           = aws_cloudwatch_event_rule.orders.name
  event_bus_name = aws_cloudwatch_event_bus.app.name
  target_id      = each.key
  arn            = each.value
}

resource "aws_cloudwatch_event_archive" "orders" {
  name             = "orders"
  event_source_arn = aws_cloudwatch_event_bus.app.arn
  retention_days   = 30
}

resource "aws_cloudwatch_log_group" "g" {
  for_each          = { api = 30, job = 7 }
  name              = "/app/${each.key}"
  retention_in_days = each.value
  tags              = { Team = "app" }
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.g["api"].name
  pattern        = "ERROR"
  metric_transformation {
    name      = "Errors"
    namespace = "App"
    value     = "1"
  }
}

resource "aws_kinesis_stream" "s" {
  for_each         = { clicks = 2, audit = 1 }
  name             = each.key
  shard_count      = each.value
  retention_period = 48
  tags             = { Team = "app" }
}

resource "aws_iam_role" "logs" {
  name = "app-logs"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "logs.amazonaws.com" } }]
  })
}

resource "aws_cloudwatch_log_subscription_filter" "audit" {
  name            = "audit"
  log_group_name  = aws_cloudwatch_log_group.g["job"].name
  filter_pattern  = "DENIED"
  destination_arn = aws_kinesis_stream.s["audit"].arn
  role_arn        = aws_iam_role.logs.arn
  distribution    = "ByLogStream"
}

resource "aws_cloudwatch_log_resource_policy" "es" {
  policy_name = "es"
  policy_document = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "es.amazonaws.com" }, Action = "logs:PutLogEvents", Resource = "*" }]
  })
}

resource "aws_cloudwatch_metric_alarm" "a" {
  for_each            = { errors = 1, queue = 100 }
  alarm_name          = "app-${each.key}"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 3
  metric_name         = each.key == "errors" ? "Errors" : "ApproximateNumberOfMessagesVisible"
  namespace           = each.key == "errors" ? "App" : "AWS/SQS"
  period              = 300
  statistic           = "Sum"
  threshold           = each.value
  alarm_description   = "alarm ${each.key}"
  alarm_actions       = [aws_sns_topic.news.arn]
  dimensions          = each.key == "queue" ? { QueueName = "app-jobs" } : {}
  treat_missing_data  = "notBreaching"
  tags                = { Team = "app" }
}

resource "aws_cloudwatch_dashboard" "app" {
  dashboard_name = "app"
  dashboard_body = jsonencode({ widgets = [{ type = "text", x = 0, y = 0, width = 3, height = 3, properties = { markdown = "hello" } }] })
}
