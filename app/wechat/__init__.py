"""The official account: what WeChat sends and what it is answered, sealed and unsealed."""

from app.wechat.routes import router

__all__ = ["router"]
