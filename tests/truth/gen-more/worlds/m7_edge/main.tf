# names, load balancing, scaling, containers, images, files, APIs, state machines, trails, distributions
resource "aws_vpc" "e" {
  cidr_block = "10.95.0.0/16"
}

resource "aws_subnet" "e" {
  count             = 2
  vpc_id            = aws_vpc.e.id
  cidr_block        = cidrsubnet("10.95.0.0/16", 8, count.index)
  availability_zone = ["us-east-1a", "us-east-1b"][count.index]
}

resource "aws_internet_gateway" "e" {
  vpc_id = aws_vpc.e.id
}

resource "aws_security_group" "e" {
  count  = 2
  name   = "edge-${count.index}"
  vpc_id = aws_vpc.e.id
}

# Route 53
resource "aws_route53_zone" "pub" {
  name    = "shop.example"
  comment = "public"
  tags    = { Team = "web" }
}

resource "aws_route53_zone" "priv" {
  name = "internal.example"
  vpc {
    vpc_id = aws_vpc.e.id
  }
}

resource "aws_route53_record" "alias" {
  zone_id = aws_route53_zone.pub.zone_id
  name    = "shop.example"
  type    = "A"
  alias {
    name                   = aws_lb.app.dns_name
    zone_id                = aws_lb.app.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "weighted" {
  for_each       = { blue = 90, green = 10 }
  zone_id        = aws_route53_zone.pub.zone_id
  name           = "api.shop.example"
  type           = "CNAME"
  ttl            = 60
  set_identifier = each.key
  records        = ["${each.key}.shop.example"]
  weighted_routing_policy {
    weight = each.value
  }
}

resource "aws_route53_record" "plain" {
  for_each = { "mail" = ["10 mx1.shop.example", "20 mx2.shop.example"] }
  zone_id  = aws_route53_zone.pub.zone_id
  name     = "shop.example"
  type     = "MX"
  ttl      = 3600
  records  = each.value
}

resource "aws_route53_record" "txt" {
  zone_id = aws_route53_zone.pub.zone_id
  name    = "_check.shop.example"
  type    = "TXT"
  ttl     = 300
  records = ["v=one"]
}

resource "aws_route53_record" "wild" {
  zone_id = aws_route53_zone.priv.zone_id
  name    = "*.internal.example"
  type    = "A"
  ttl     = 30
  records = ["10.95.0.10"]
}

resource "aws_route53_health_check" "web" {
  fqdn              = "shop.example"
  port              = 443
  type              = "HTTPS"
  resource_path     = "/health"
  failure_threshold = 3
  request_interval  = 30
}

# load balancing
resource "aws_lb" "app" {
  name                       = "edge-app"
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.e[0].id]
  subnets                    = aws_subnet.e[*].id
  drop_invalid_header_fields = true
  enable_deletion_protection = false
  tags                       = { Team = "web" }
}

resource "aws_lb_target_group" "tg" {
  for_each             = { blue = 80, green = 8080 }
  name                 = "edge-${each.key}"
  port                 = each.value
  protocol             = "HTTP"
  vpc_id               = aws_vpc.e.id
  deregistration_delay = 60
  health_check {
    path     = "/ok"
    matcher  = "200"
    interval = 30
  }
  tags = { Color = each.key }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.app.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tg["blue"].arn
  }
}

resource "aws_lb_listener_rule" "api" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tg["green"].arn
  }
  condition {
    path_pattern {
      values = ["/api/*"]
    }
  }
}

resource "aws_lb_listener_rule" "old" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 20
  action {
    type = "redirect"
    redirect {
      host        = "shop.example"
      status_code = "HTTP_301"
    }
  }
  condition {
    host_header {
      values = ["old.shop.example"]
    }
  }
}

# scaling
resource "aws_launch_template" "w" {
  name          = "edge-web"
  image_id      = "ami-12c6146b"
  instance_type = "t3.micro"
}

resource "aws_autoscaling_group" "w" {
  name                = "edge-web"
  min_size            = 0
  max_size            = 4
  desired_capacity    = 0
  vpc_zone_identifier = aws_subnet.e[*].id
  default_cooldown    = 120
  health_check_type   = "EC2"
  target_group_arns   = [aws_lb_target_group.tg["blue"].arn]
  launch_template {
    id      = aws_launch_template.w.id
    version = "1"
  }
  tag {
    key                 = "Team"
    value               = "web"
    propagate_at_launch = true
  }
}

resource "aws_autoscaling_policy" "up" {
  name                   = "up"
  autoscaling_group_name = aws_autoscaling_group.w.name
  adjustment_type        = "ChangeInCapacity"
  scaling_adjustment     = 1
  cooldown               = 300
}

resource "aws_autoscaling_schedule" "night" {
  scheduled_action_name  = "night"
  autoscaling_group_name = aws_autoscaling_group.w.name
  min_size               = 0
  max_size               = 1
  desired_capacity       = 0
  recurrence             = "0 20 * * *"
}

resource "aws_autoscaling_lifecycle_hook" "drain" {
  name                   = "drain"
  autoscaling_group_name = aws_autoscaling_group.w.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  default_result         = "CONTINUE"
  heartbeat_timeout      = 300
}

resource "aws_launch_configuration" "old" {
  name          = "edge-old"
  image_id      = "ami-12c6146b"
  instance_type = "t3.micro"
}

# containers
resource "aws_ecs_cluster" "c" {
  name = "edge"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
  tags = { Team = "web" }
}

resource "aws_ecs_task_definition" "web" {
  family                   = "edge-web"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "web", image = "nginx:1", cpu = 10, memory = 128, essential = true }])
}

resource "aws_ecs_service" "web" {
  for_each        = toset(["a", "b"])
  name            = "edge-${each.key}"
  cluster         = aws_ecs_cluster.c.id
  task_definition = aws_ecs_task_definition.web.arn
  desired_count   = 2
  launch_type     = "FARGATE"
  network_configuration {
    subnets         = aws_subnet.e[*].id
    security_groups = [aws_security_group.e[0].id]
  }
  tags = { Team = "web" }
}

resource "aws_ecr_repository" "img" {
  for_each             = toset(["web", "job"])
  name                 = "edge/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true
  image_scanning_configuration {
    scan_on_push = true
  }
  tags = { Team = "web" }
}

resource "aws_ecr_repository_policy" "web" {
  repository = aws_ecr_repository.img["web"].name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "pull", Effect = "Allow", Principal = { AWS = "arn:aws:iam::595263720623:root" }, Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] }]
  })
}

resource "aws_ecr_lifecycle_policy" "web" {
  repository = aws_ecr_repository.img["web"].name
  policy = jsonencode({
    rules = [{ rulePriority = 1, description = "keep 10", selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }, action = { type = "expire" } }]
  })
}

# files
resource "aws_efs_file_system" "f" {
  creation_token = "edge"
  encrypted      = true
  tags           = { Name = "edge" }
  lifecycle_policy {
    transition_to_ia = "AFTER_30_DAYS"
  }
}

resource "aws_efs_mount_target" "f" {
  count           = 2
  file_system_id  = aws_efs_file_system.f.id
  subnet_id       = aws_subnet.e[count.index].id
  security_groups = [aws_security_group.e[0].id]
}

resource "aws_efs_access_point" "f" {
  file_system_id = aws_efs_file_system.f.id
  tags           = { Name = "ap" }
}

resource "aws_efs_file_system_policy" "f" {
  file_system_id = aws_efs_file_system.f.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "tls", Effect = "Deny", Principal = { AWS = "*" }, Action = "*", Condition = { Bool = { "aws:SecureTransport" = "false" } } }]
  })
}

# state machines
resource "aws_iam_role" "sfn" {
  name = "edge-sfn"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "states.amazonaws.com" } }]
  })
}

resource "aws_sfn_state_machine" "m" {
  name       = "edge"
  role_arn   = aws_iam_role.sfn.arn
  definition = jsonencode({ StartAt = "A", States = { A = { Type = "Pass", End = true } } })
  tags       = { Team = "web" }
}

resource "aws_sfn_activity" "a" {
  name = "edge-activity"
}

# trails
resource "aws_s3_bucket" "trail" {
  bucket = "edge-trail-595263720623"
}

resource "aws_s3_bucket_policy" "trail" {
  bucket = aws_s3_bucket.trail.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "acl", Effect = "Allow", Principal = { Service = "cloudtrail.amazonaws.com" }, Action = "s3:GetBucketAcl", Resource = "arn:aws:s3:::edge-trail-595263720623" },
      { Sid = "put", Effect = "Allow", Principal = { Service = "cloudtrail.amazonaws.com" }, Action = "s3:PutObject", Resource = "arn:aws:s3:::edge-trail-595263720623/*" }
    ]
  })
}

resource "aws_cloudtrail" "t" {
  for_each                      = { all = true }
  name                          = "edge-${each.key}"
  s3_bucket_name                = aws_s3_bucket.trail.id
  s3_key_prefix                 = each.key
  is_multi_region_trail         = each.value
  include_global_service_events = each.value
  enable_log_file_validation    = true
  depends_on                    = [aws_s3_bucket_policy.trail]
  event_selector {
    read_write_type           = "All"
    include_management_events = true
  }
  tags = { Team = "sec" }
}

# distributions
resource "aws_cloudfront_origin_access_control" "oac" {
  name                              = "edge"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_distribution" "cdn" {
  enabled             = true
  comment             = "edge"
  default_root_object = "index.html"
  price_class         = "PriceClass_100"
  aliases             = ["cdn.shop.example"]
  origin {
    domain_name = "origin.shop.example"
    origin_id   = "o1"
    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }
  default_cache_behavior {
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    target_origin_id       = "o1"
    viewer_protocol_policy = "redirect-to-https"
    compress               = true
    min_ttl                = 0
    default_ttl            = 3600
    max_ttl                = 86400
    forwarded_values {
      query_string = false
      cookies {
        forward = "none"
      }
    }
  }
  restrictions {
    geo_restriction {
      restriction_type = "whitelist"
      locations        = ["DE", "FR"]
    }
  }
  viewer_certificate {
    cloudfront_default_certificate = true
  }
  wait_for_deployment = false
  tags                = { Team = "web" }
}

# API Gateway v1
resource "aws_api_gateway_rest_api" "v1" {
  name        = "edge-v1"
  description = "v1"
  tags        = { Team = "web" }
}

resource "aws_api_gateway_resource" "cart" {
  rest_api_id = aws_api_gateway_rest_api.v1.id
  parent_id   = aws_api_gateway_rest_api.v1.root_resource_id
  path_part   = "cart"
}

resource "aws_api_gateway_method" "cart" {
  for_each      = toset(["GET", "POST"])
  rest_api_id   = aws_api_gateway_rest_api.v1.id
  resource_id   = aws_api_gateway_resource.cart.id
  http_method   = each.key
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "cart" {
  for_each    = aws_api_gateway_method.cart
  rest_api_id = aws_api_gateway_rest_api.v1.id
  resource_id = aws_api_gateway_resource.cart.id
  http_method = each.value.http_method
  type        = "MOCK"
  request_templates = {
    "application/json" = "{\"statusCode\": 200}"
  }
}

resource "aws_api_gateway_deployment" "v1" {
  depends_on  = [aws_api_gateway_integration.cart]
  rest_api_id = aws_api_gateway_rest_api.v1.id
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.v1.id
  deployment_id = aws_api_gateway_deployment.v1.id
  stage_name    = "prod"
  description   = "production"
  variables     = { mode = "live" }
}

resource "aws_api_gateway_api_key" "partner" {
  name = "partner"
}

resource "aws_api_gateway_usage_plan" "partner" {
  name        = "partner"
  description = "partners"
  throttle_settings {
    burst_limit = 10
    rate_limit  = 5
  }
}

# API Gateway v2
resource "aws_apigatewayv2_api" "v2" {
  name          = "edge-v2"
  protocol_type = "HTTP"
  description   = "v2"
  cors_configuration {
    allow_origins = ["https://shop.example"]
    allow_methods = ["GET"]
  }
  tags = { Team = "web" }
}

resource "aws_apigatewayv2_integration" "v2" {
  api_id             = aws_apigatewayv2_api.v2.id
  integration_type   = "HTTP_PROXY"
  integration_method = "GET"
  integration_uri    = "https://backend.shop.example"
}

resource "aws_apigatewayv2_route" "v2" {
  for_each           = toset(["GET /a", "GET /b"])
  api_id             = aws_apigatewayv2_api.v2.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.v2.id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "v2" {
  api_id      = aws_apigatewayv2_api.v2.id
  name        = "$default"
  auto_deploy = true
}
