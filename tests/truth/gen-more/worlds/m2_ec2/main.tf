# machines: instances, volumes, interfaces, addresses, images, snapshots, keys, launch templates
resource "aws_vpc" "lab" {
  cidr_block = "10.70.0.0/16"
}

resource "aws_subnet" "lab" {
  count             = 2
  vpc_id            = aws_vpc.lab.id
  cidr_block        = cidrsubnet("10.70.0.0/16", 8, count.index)
  availability_zone = ["us-east-1a", "us-east-1b"][count.index]
}

resource "aws_security_group" "lab" {
  for_each = toset(["web", "ssh"])
  name     = "lab-${each.key}"
  vpc_id   = aws_vpc.lab.id
}

resource "aws_iam_role" "box" {
  name = "box"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_instance_profile" "box" {
  for_each = toset(["one", "two"])
  name     = "box-${each.key}"
  role     = aws_iam_role.box.name
}

resource "aws_instance" "fleet" {
  count                   = 3
  ami                     = "ami-12c6146b"
  instance_type           = "t3.micro"
  subnet_id               = aws_subnet.lab[0].id
  vpc_security_group_ids  = [aws_security_group.lab["web"].id]
  iam_instance_profile    = aws_iam_instance_profile.box["one"].name
  user_data               = "#!/bin/sh\necho ${count.index}\n"
  monitoring              = false
  source_dest_check       = true
  tags                    = { Name = "fleet-${count.index}", Role = "web" }
  metadata_options {
    http_tokens   = "required"
    http_endpoint = "enabled"
  }
}

resource "aws_instance" "plain" {
  ami           = "ami-12c6146b"
  instance_type = "m5.large"
  subnet_id     = aws_subnet.lab[1].id
  key_name      = aws_key_pair.admin.key_name
}

resource "aws_ebs_volume" "data" {
  for_each          = toset(["logs", "db"])
  availability_zone = "us-east-1a"
  size              = 50
  type              = "gp3"
  iops              = 3000
  throughput        = 125
  tags              = { Name = each.key }
}

resource "aws_volume_attachment" "logs" {
  device_name = "/dev/sdg"
  volume_id   = aws_ebs_volume.data["logs"].id
  instance_id = aws_instance.fleet[1].id
}

resource "aws_ebs_snapshot" "db" {
  volume_id   = aws_ebs_volume.data["db"].id
  description = "nightly"
  tags        = { Keep = "30" }
}

resource "aws_ami" "golden" {
  name                = "golden"
  description         = "golden image"
  virtualization_type = "hvm"
  root_device_name    = "/dev/xvda"
  ebs_block_device {
    device_name = "/dev/xvda"
    snapshot_id = aws_ebs_snapshot.db.id
    volume_size = 50
  }
  tags = { Name = "golden" }
}

resource "aws_ami_launch_permission" "golden" {
  image_id   = aws_ami.golden.id
  account_id = "210987654321"
}

resource "aws_network_interface" "spare" {
  subnet_id         = aws_subnet.lab[0].id
  private_ips       = ["10.70.0.50"]
  security_groups   = [aws_security_group.lab["web"].id]
  description       = "spare"
  source_dest_check = true
  tags              = { Name = "spare" }
}

resource "aws_network_interface" "second" {
  subnet_id       = aws_subnet.lab[0].id
  security_groups = [aws_security_group.lab["web"].id]
}

resource "aws_network_interface_attachment" "second" {
  instance_id          = aws_instance.fleet[0].id
  network_interface_id = aws_network_interface.second.id
  device_index         = 1
}

resource "aws_network_interface_sg_attachment" "ssh" {
  security_group_id    = aws_security_group.lab["ssh"].id
  network_interface_id = aws_network_interface.second.id
}

resource "aws_eip" "front" {
  domain   = "vpc"
  instance = aws_instance.fleet[0].id
  tags     = { Name = "front" }
}

resource "aws_eip" "free" {
  domain = "vpc"
}

resource "aws_eip" "eni" {
  domain = "vpc"
}

resource "aws_eip_association" "eni" {
  allocation_id        = aws_eip.eni.id
  network_interface_id = aws_network_interface.spare.id
}

resource "aws_key_pair" "admin" {
  key_name   = "admin"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII/QqReZbi5vE1cYHQb5EWKK6RUFueIucMvLGSQJ20Vz admin"
  tags       = { Owner = "ops" }
}

resource "aws_launch_template" "web" {
  name                   = "web"
  description            = "first"
  image_id               = "ami-12c6146b"
  instance_type          = "t3.small"
  update_default_version = true
  tags                   = { Name = "web" }
}

resource "aws_ebs_encryption_by_default" "this" {
  enabled = true
}
