from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from forum.models import Post
from forum.search import index_post


async def rebuild_index(session: AsyncSession, page_size: int = 500) -> int:
    page = 0
    indexed = 0
    while True:
        stmt = select(Post).order_by(Post.id).offset(page * page_size).limit(page_size)
        posts = (await session.scalars(stmt)).all()
        if not posts:
            break
        for post in posts:
            await index_post(post)
        indexed += len(posts)
        page += 1
    return indexed
