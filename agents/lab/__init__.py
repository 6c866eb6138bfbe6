"""Who makes large models: laboratories that pretrain, sell, license or open them, and the community of open weights."""
